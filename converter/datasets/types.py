"""The two forms every reader produces: labelled faces and faces with points."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from converter.errors import DataError
from edge_runtime.contract import EMOTION_LABELS, INPUT_SIZE_PX, KEYPOINT_COUNT

CLASS_NAMES: Final = (*EMOTION_LABELS, "neutral", "fear")
"""The five answers first, then FER2013's two classes that are none of them."""

TRAINING, PUBLIC_TEST, PRIVATE_TEST = 0, 1, 2
USAGE_NAMES: Final = ("Training", "PublicTest", "PrivateTest")


@dataclass(frozen=True, eq=False)
class EmotionData:
    """Grey faces with one class each."""

    images: NDArray[np.uint8]
    """(N, h, w); FER2013 has 48 x 48."""

    labels: NDArray[np.int64]
    """(N,) index into CLASS_NAMES."""

    usage: NDArray[np.int64]
    """(N,) index into USAGE_NAMES."""

    votes: NDArray[np.float32] | None = None
    """(N, len(CLASS_NAMES)) shares of crowd votes, rows sum to 1; NaN rows where nobody voted usefully. Optional."""

    soft: NDArray[np.float32] | None = None
    """(N, len(CLASS_NAMES)) shares that a teacher gave, rows sum to 1; NaN rows where it gave none. Optional."""

    def __post_init__(self) -> None:
        """Check that all arrays speak of the same faces."""
        count = len(self.images)
        if self.images.ndim != 3 or self.images.dtype != np.uint8:
            raise DataError(f"images must be (N, h, w) uint8, found {self.images.shape} {self.images.dtype}")
        if len(self.labels) != count or len(self.usage) != count:
            raise DataError(f"{count} images, but {len(self.labels)} labels and {len(self.usage)} usages")
        for name, shares in (("votes", self.votes), ("soft", self.soft)):
            if shares is not None and shares.shape != (count, len(CLASS_NAMES)):
                raise DataError(f"{name} must be ({count}, {len(CLASS_NAMES)}), found {shares.shape}")

    def __len__(self) -> int:
        """Count the faces."""
        return len(self.images)

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> EmotionData:
        """Choose faces by index or mask."""
        votes = None if self.votes is None else self.votes[rows]
        soft = None if self.soft is None else self.soft[rows]
        return EmotionData(self.images[rows], self.labels[rows], self.usage[rows], votes, soft)


@dataclass(frozen=True, eq=False)
class KeypointData:
    """Grey faces with 15 points each."""

    images: NDArray[np.uint8]
    """(N, side, side): the 96 x 96 crop, or a wider picture of which the crop is the middle."""

    points: NDArray[np.float32]
    """(N, 15, 2) x, y in pixels of the 96 x 96 crop; NaN = not annotated."""

    person: NDArray[np.str_]
    """(N,) group that never stands on both sides of a split."""

    source: NDArray[np.str_]
    """(N,) where the face came from; figures are reported per source."""

    def __post_init__(self) -> None:
        """Check that all arrays speak of the same faces."""
        count = len(self.images)
        if self.images.ndim != 3 or self.images.shape[1] != self.images.shape[2]:
            raise DataError(f"images must be (N, side, side), found {self.images.shape}")
        if self.points.shape != (count, KEYPOINT_COUNT, 2):
            raise DataError(f"points must be ({count}, {KEYPOINT_COUNT}, 2), found {self.points.shape}")
        if len(self.person) != count or len(self.source) != count:
            raise DataError(f"{count} images, but {len(self.person)} persons and {len(self.source)} sources")

    def __len__(self) -> int:
        """Count the faces."""
        return len(self.images)

    @property
    def margin_px(self) -> int:
        """Pixels around the 96 x 96 crop on each side."""
        return (int(self.images.shape[1]) - INPUT_SIZE_PX) // 2

    @property
    def crops(self) -> NDArray[np.uint8]:
        """(N, 96, 96) the middle of every picture."""
        m = self.margin_px
        return self.images[:, m : m + INPUT_SIZE_PX, m : m + INPUT_SIZE_PX]

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> KeypointData:
        """Choose faces by index or mask."""
        return KeypointData(self.images[rows], self.points[rows], self.person[rows], self.source[rows])
