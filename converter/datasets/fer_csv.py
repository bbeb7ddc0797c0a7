"""Reader of FER2013-style CSV files: emotion, pixels and, if there, Usage."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from converter.datasets.csv_rows import Row, parse_pixels, read_header, read_rows
from converter.datasets.label_orders import CLASSES_OF, FER_CLASSES, LabelOrder, chosen_order, to_class_index
from converter.datasets.types import TRAINING, USAGE_NAMES, EmotionData
from converter.errors import DataError

COLUMNS = ("emotion", "pixels")


def read_fer_csv(path: Path, order: LabelOrder | None = None) -> EmotionData:
    """Read labelled faces; the header of icml_face_data.csv, which has leading blanks, and `usage` are fine too.

    Args:
        path: the file.
        order: which numbering `emotion` has; None = fer7 where a 5 or 6 proves it, else an error.
    """
    usage_column = next((name for name in read_header(path) if name.lower() == "usage"), None)
    images: list[NDArray[np.uint8]] = []
    numbers: list[int] = []
    usage: list[int] = []
    for row in read_rows(path, COLUMNS):
        images.append(parse_pixels(row, "pixels", images[0].size if images else None))
        numbers.append(_number(row, len(CLASSES_OF[order or "fer7"])))
        usage.append(_usage(row, usage_column) if usage_column else TRAINING)
    if not images:
        raise DataError(f"{path}: holds no row below its header")
    found = np.array(numbers, np.int64)
    labels = to_class_index(found, chosen_order(found, order, path))
    return EmotionData(np.stack(images), labels, np.array(usage, np.int64))


def _number(row: Row, count: int) -> int:
    text = row.cells["emotion"]
    if not (text.isascii() and text.isdigit() and int(text) < count):
        remedy = "" if count == len(FER_CLASSES) else "; a file with FER2013's seven numbers needs --labels fer7"
        raise DataError(f"{row.where}, column emotion: expected 0..{count - 1}, found {text!r}{remedy}")
    return int(text)


def _usage(row: Row, column: str) -> int:
    text = row.cells[column]
    if text not in USAGE_NAMES:
        raise DataError(f"{row.where}, column {column}: expected one of {list(USAGE_NAMES)}, found {text!r}")
    return USAGE_NAMES.index(text)
