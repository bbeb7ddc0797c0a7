"""The two numberings of emotions that data files use, and which of them a file has: proven or asked, never guessed."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from converter.datasets.types import CLASS_NAMES
from converter.errors import DataError
from edge_runtime.contract import EMOTION_LABELS

LabelOrder = Literal["fer7", "five"]
"""fer7: FER2013's numbers 0..6. five: this project's 0..4."""

LABEL_ORDERS: Final = get_args(LabelOrder)

FER_CLASSES: Final = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
"""FER2013's own order of its seven classes."""

CLASSES_OF: Final[dict[LabelOrder, tuple[str, ...]]] = {"fer7": FER_CLASSES, "five": EMOTION_LABELS}


def chosen_order(numbers: NDArray[np.int64], asked: LabelOrder | None, where: Path) -> LabelOrder:
    """Say which numbering a file has.

    Args:
        numbers: (N,) as they stand in the file.
        asked: what the user said, if anything.
        where: the file, for the error.

    Raises:
        DataError: the numbers 0..4 alone prove nothing and the user said nothing.
    """
    if asked is not None:
        return asked
    if len(numbers) and int(numbers.max()) >= len(EMOTION_LABELS):
        return "fer7"
    raise DataError(
        f"{where}: emotion holds 0..4 only, which may be FER2013's {list(FER_CLASSES[:5])} or this project's "
        f"{list(EMOTION_LABELS)}; say which with --labels fer7 or --labels five"
    )


def to_class_index(numbers: NDArray[np.int64], order: LabelOrder) -> NDArray[np.int64]:
    """(N,) numbers of a file -> (N,) indices into CLASS_NAMES."""
    return np.array([CLASS_NAMES.index(name) for name in CLASSES_OF[order]], np.int64)[numbers]
