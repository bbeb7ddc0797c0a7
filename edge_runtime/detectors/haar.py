"""Faces through OpenCV's Haar cascade: needs no model file, finds upright frontal faces."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edge_runtime.datatypes import FaceBox, ShapeError
from edge_runtime.errors import DetectorError
from edge_runtime.geometry import Box
from edge_runtime.preprocess import shrunk

CASCADE_FILE: Final = "haarcascade_frontalface_alt2.xml"
DEBIAN_CASCADES: Final = Path("/usr/share/opencv4/haarcascades")
"""Where Debian's package opencv-data puts them; its python3-opencv has no cv2.data."""

# Measured on 413 grey pictures (614 faces of 20 px and more) and 137 without a face, one x86 thread; the second line is
# in use, and tests/detectors/fit_haar.py measures it again on any such data.
#   step, neighbours, weight:   1.10, 1, any   recall 0.69   precision 0.86   false finds 32   43 ms
#                               1.15, 2, 54.8         0.64             0.97                4   33 ms
#                               1.20, 1, 54.8         0.63             0.95                7   26 ms
# OpenCV's default cascade at step 1.20: precision 0.78 where alt2 has 0.92, at the same recall of 0.68. The line in use
# finds nothing in 1284 frames of two clips without a face; the first line finds something in 51 of them.
SCALE_STEP: Final = 1.15
MIN_NEIGHBORS: Final = 2
MIN_WEIGHT: Final = 54.8
"""Level weight below which a find is left out; the largest in those two clips is 54.5."""

CENTER_X, CENTER_Y, WIDTH, HEIGHT = 0.487, 0.516, 0.80, 1.08
"""The tight box inside the cascade's square of side 1; raises the mean IoU with annotated boxes from 0.69 to 0.76."""

SCORE_MIDDLE, SCORE_SLOPE = 54.6, 3.0
"""Level weight at which half of the finds are faces, and how fast that share grows."""


class HaarDetector:
    """OpenCV's frontal face cascade on a shrunk frame."""

    def __init__(self, *, min_face_px: int, search_width_px: int, cascade: Path | None = None) -> None:
        """Load the cascade.

        Args:
            min_face_px: longer side of the smallest face looked for, frame pixels.
            search_width_px: wider frames are shrunk to this width first.
            cascade: another cascade file; None = the one that comes with OpenCV.

        Raises:
            DetectorError: this OpenCV has no cascades, or the file is missing or damaged.
        """
        self.name = "haar"
        self._min_face_px = min_face_px
        self._search_width_px = search_width_px
        try:
            import cv2
        except ImportError as error:
            raise DetectorError("haar: needs OpenCV: pip install 'opencv-python-headless<5'") from error
        self._cv2: Any = cv2
        self._cascade = _load(cv2, cascade)

    def detect(self, pixels: NDArray[np.uint8]) -> Sequence[FaceBox]:
        """Find faces in a (height, width) grey picture: tight boxes inside it, best first."""
        if pixels.ndim != 2 or pixels.dtype != np.uint8:
            raise ShapeError(f"haar: expected (height, width) uint8, found {pixels.shape} {pixels.dtype}")
        height, width = pixels.shape
        factor = max(width / self._search_width_px, 1.0)  # frame pixels per searched pixel
        side = max(1, round(self._min_face_px / factor / HEIGHT))
        squares, _, weights = self._cascade.detectMultiScale3(
            self._shrunk(pixels, factor),
            scaleFactor=SCALE_STEP,
            minNeighbors=MIN_NEIGHBORS,
            minSize=(side, side),
            outputRejectLevels=True,
        )
        found = [
            FaceBox(_tight(*square).scaled(factor).clipped(width, height), _score(weight))
            for square, weight in zip(squares, np.ravel(weights).tolist(), strict=True)
            if weight >= MIN_WEIGHT
        ]
        inside = [face for face in found if face.box.width > 0 and face.box.height > 0]
        return sorted(inside, key=lambda face: face.score, reverse=True)

    def _shrunk(self, pixels: NDArray[np.uint8], factor: float) -> NDArray[np.uint8]:
        if factor == 1.0:
            return pixels
        return shrunk(pixels, (self._search_width_px, max(1, round(pixels.shape[0] / factor))))


def _tight(x: int, y: int, side: int, _: int) -> Box:
    """Turn the cascade's square into a box from forehead to chin."""
    center_x, center_y = float(x + CENTER_X * side), float(y + CENTER_Y * side)
    half_width, half_height = WIDTH * side / 2, HEIGHT * side / 2
    return Box(center_x - half_width, center_y - half_height, center_x + half_width, center_y + half_height)


def _score(weight: float) -> float:
    return 1.0 / (1.0 + math.exp(-SCORE_SLOPE * (weight - SCORE_MIDDLE)))


def _load(cv2: Any, cascade: Path | None) -> Any:  # noqa: ANN401
    if not hasattr(cv2, "CascadeClassifier"):
        raise DetectorError(
            f"haar: OpenCV {cv2.__version__} has no Haar cascades: pip install 'opencv-python-headless<5', "
            f"or use --detector faces"
        )
    shipped = Path(cv2.data.haarcascades) if hasattr(cv2, "data") else DEBIAN_CASCADES
    path = cascade or shipped / CASCADE_FILE
    if not path.is_file():
        raise DetectorError(
            f"{path}: no such cascade; it comes with `pip install 'opencv-python-headless<5'` "
            f"or `apt install opencv-data`"
        )
    try:
        loaded = cv2.CascadeClassifier(str(path))
    except (cv2.error, SystemError) as error:
        raise DetectorError(f"{path}: not a cascade that OpenCV can read ({error}); install OpenCV again") from error
    if loaded.empty():
        raise DetectorError(f"{path}: not a cascade that OpenCV can read; install OpenCV again")
    return loaded
