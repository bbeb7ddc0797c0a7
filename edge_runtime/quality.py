"""Whether a crop can support an answer at all: size, sharpness, head turn."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.contract import LEFT_EYE, NOSE_TIP, RIGHT_EYE, UncertainReason
from edge_runtime.geometry import Points
from edge_runtime.settings import Policy


def sharpness(crop: NDArray[np.uint8]) -> float:
    """Mean edge strength of a (side, side) crop, grey levels per pixel: mean length of the Sobel gradient / 8."""
    dx = cv2.Sobel(crop, cv2.CV_32F, 1, 0)
    dy = cv2.Sobel(crop, cv2.CV_32F, 0, 1)
    return float(cv2.mean(cv2.magnitude(dx, dy))[0]) / 8.0


def yaw_share(points: Points) -> float:
    """How far the head is turned: 0 = the nose is midway between the eyes, 1 = it lies over one of them.

    Args:
        points: (15, 2).
    """
    left, right, nose = points[LEFT_EYE], points[RIGHT_EYE], points[NOSE_TIP]
    across = left - right
    length = float(across @ across)
    if length < 1.0:
        return 1.0
    along = float((nose - right) @ across) / length  # 0 at the right eye, 1 at the left eye
    return min(abs(2 * along - 1), 1.0)


def doubt(crop: NDArray[np.uint8], points: Points, size_px: float, policy: Policy) -> UncertainReason | None:
    """Return the first reason why this face cannot be answered, or None."""
    if size_px < policy.min_face_px:
        return "small_face"
    if yaw_share(points) > policy.max_yaw:
        return "pose"
    if sharpness(crop) < policy.min_sharpness:
        return "blurred"
    return None
