"""Faces through YuNet, a small net for OpenCV: more exact than Haar, needs a model file that is not shipped."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edge_runtime.datatypes import FaceBox, ShapeError
from edge_runtime.errors import DetectorError
from edge_runtime.geometry import Box
from edge_runtime.preprocess import shrunk

logger = logging.getLogger(__name__)

KNOWN_SHA256: Final = "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4"
"""Of face_detection_yunet_2023mar.onnx, 232,589 bytes, the file of OpenCV's model zoo."""

_MIN_SCORE: Final = 0.6
_MAX_OVERLAP: Final = 0.3
_MAX_CANDIDATES: Final = 200
"""Before overlapping ones are merged; bounds the work on a picture full of faces."""


class YunetDetector:
    """YuNet in OpenCV's FaceDetectorYN on a shrunk frame."""

    def __init__(self, model: Path, *, min_score: float | None = None, min_face_px: int, search_width_px: int) -> None:
        """Load the net; another file than the known one is used with a warning.

        Args:
            model: the ONNX file.
            min_score: finds below are left out, 0..1; None = 0.6.
            min_face_px: longer side of the smallest face, frame pixels; smaller ones are left out.
            search_width_px: wider frames are shrunk to this width first.

        Raises:
            DetectorError: the file is missing or no YuNet, or this OpenCV is too old for it.
        """
        self.name = "yunet"
        self._min_face_px = min_face_px
        self._search_width_px = search_width_px
        self._size = (search_width_px, search_width_px)
        try:
            import cv2
        except ImportError as error:
            raise DetectorError("yunet: needs OpenCV >= 4.8: pip install 'opencv-python-headless'") from error
        self._cv2: Any = cv2
        score = _MIN_SCORE if min_score is None else min_score
        _check_digest(model)
        try:
            self._net = cv2.FaceDetectorYN.create(str(model), "", self._size, score, _MAX_OVERLAP, _MAX_CANDIDATES)
        except (cv2.error, AttributeError) as error:
            raise DetectorError(
                f"{model}: OpenCV {cv2.__version__} cannot use it as YuNet ({error}); expected "
                f"face_detection_yunet_2023mar.onnx and OpenCV >= 4.8"
            ) from error

    def detect(self, pixels: NDArray[np.uint8]) -> Sequence[FaceBox]:
        """Find faces in a (height, width) grey picture: tight boxes inside it, best first."""
        if pixels.ndim != 2 or pixels.dtype != np.uint8:
            raise ShapeError(f"yunet: expected (height, width) uint8, found {pixels.shape} {pixels.dtype}")
        height, width = pixels.shape
        factor = max(width / self._search_width_px, 1.0)  # frame pixels per searched pixel
        searched = self._shrunk(pixels, factor)
        self._fit_input(searched)
        _, rows = self._net.detect(self._cv2.cvtColor(searched, self._cv2.COLOR_GRAY2BGR))
        if rows is None:
            return []
        # (N, 15): x, y, width, height, five points, score
        boxes = [(Box(row[0], row[1], row[0] + row[2], row[1] + row[3]), row[14]) for row in rows.tolist()]
        found = [FaceBox(box.scaled(factor).clipped(width, height), min(score, 1.0)) for box, score in boxes]
        inside = [face for face in found if face.box.width > 0 and face.box.height > 0]
        large = [face for face in inside if max(face.box.width, face.box.height) >= self._min_face_px]
        return sorted(large, key=lambda face: face.score, reverse=True)

    def _fit_input(self, searched: NDArray[np.uint8]) -> None:
        size = (int(searched.shape[1]), int(searched.shape[0]))
        if size != self._size:  # setting it plans the whole net anew
            self._net.setInputSize(size)
            self._size = size

    def _shrunk(self, pixels: NDArray[np.uint8], factor: float) -> NDArray[np.uint8]:
        if factor == 1.0:
            return pixels
        return shrunk(pixels, (self._search_width_px, max(1, round(pixels.shape[0] / factor))))


def _check_digest(model: Path) -> None:
    try:
        digest = hashlib.sha256(model.read_bytes()).hexdigest()
    except OSError as error:
        raise DetectorError(
            f"{model}: cannot read YuNet's model ({error.strerror}); "
            f"give face_detection_yunet_2023mar.onnx of OpenCV's model zoo with --face-model"
        ) from error
    if digest != KNOWN_SHA256:
        logger.warning("%s: sha256 %s is not the known %s; used all the same", model, digest[:12], KNOWN_SHA256[:12])
