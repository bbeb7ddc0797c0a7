"""How crops are cut: one function each, used by training, evaluation and the runtime.

The numbers are fitted so that the points of a face fall where the training crops have them; docs/training.md
says from which data and by which steps.
"""

from __future__ import annotations

import math
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.contract import (
    EMOTION_SOURCE_SIZE_PX,
    INPUT_SIZE_PX,
    LEFT_EYE,
    MOUTH_LEFT,
    MOUTH_RIGHT,
    NOSE_TIP,
    RIGHT_EYE,
)
from edge_runtime.geometry import Box, Points, Similarity, fit_similarity
from edge_runtime.preprocess import halved

POINTS_CENTER: Final = (48.0, 55.0)
"""Where the middle of the points' bounding box lies in the keypoint crop, pixels: median of the training crops."""

POINTS_SIDE_PX: Final = 64.0
"""Longer side of the points' bounding box in the keypoint crop: median of the training crops."""

TIGHT_CENTER: Final = (48.0, 48.8)
"""Middle of a tight forehead-to-chin box in the keypoint crop: median over 2,465 training faces."""

TIGHT_SIZE_PX: Final = (81.0, 108.0)
"""Width and height of that box: median over the same faces; the root of its area varies by 6 %."""

TURN_SHIFT: Final = 0.7
"""The tight box of a turned head lies to the other side than its nose points: by this part of the nose's way from the
middle of the crop. Chosen on 1,820 annotated faces of the detection training data; 0.5 to 0.8 are nearly as good. On
387 faces of its validation part the median overlap with the annotated box rose from 0.79 to 0.84, of turned heads from
0.67 to 0.81."""

EMOTION_TARGETS: Final = ((33.0, 18.5), (14.8, 18.5), (24.1, 37.2))
"""Left eye, right eye and middle of the mouth corners in a 48 x 48 emotion crop: medians of the keypoint net's answers
on every sixth FER2013 training face, 1 % larger, so that the fitted crop has the picture's own size. They lie half a
pixel to the right, as that net's labels do."""

SEARCH_PATCH_PX: Final = 160
"""Side of the upright patch in which a detector is asked whether a tracked face is still one."""

SEARCH_PATCH_SCALE: Final = 0.75
"""Patch pixels per pixel of the keypoint crop: the face is 81 px high, half of the patch."""

_LEAST_SCALE = 1e-3
"""Below it a crop shows more than any frame holds; nothing is averaged then."""


def keypoint_crop_of_box(box: Box) -> Similarity:
    """Map frame pixels to the 96 x 96 keypoint crop of a tight box."""
    scale = float(np.sqrt(TIGHT_SIZE_PX[0] * TIGHT_SIZE_PX[1] / max(box.area, 1.0)))
    return _upright(box.center, scale, TIGHT_CENTER)


def keypoint_crop_of_points(points: Points) -> Similarity:
    """Map frame pixels to the upright 96 x 96 keypoint crop of a face whose (15, 2) points are known."""
    listed = points.tolist()
    (left_x, left_y), (right_x, right_y) = listed[LEFT_EYE], listed[RIGHT_EYE]
    across, down = left_x - right_x, left_y - right_y
    length = math.hypot(across, down)
    c, s = (across / length, down / length) if length > 0 else (1.0, 0.0)
    # Plain numbers: for fifteen points numpy's calls cost twice the arithmetic.
    xs = [c * x + s * y for x, y in listed]
    ys = [c * y - s * x for x, y in listed]
    x0, x1, y0, y1 = min(xs), max(xs), min(ys), max(ys)
    scale = POINTS_SIDE_PX / max(x1 - x0, y1 - y0, 1.0)
    shift = _upright(((x0 + x1) / 2, (y0 + y1) / 2), scale, POINTS_CENTER)
    return Similarity(scale * c, -scale * s, shift.tx, shift.ty)


def search_patch_of_points(points: Points) -> Similarity:
    """Map frame pixels to an upright SEARCH_PATCH_PX square around a face, with room for a detector to find it."""
    crop = keypoint_crop_of_points(points)
    k, shift = SEARCH_PATCH_SCALE, (SEARCH_PATCH_PX - SEARCH_PATCH_SCALE * INPUT_SIZE_PX) / 2
    return Similarity(k * crop.a, k * crop.b, k * crop.tx + shift, k * crop.ty + shift)


def face_in_search_patch() -> Box:
    """Return the tight box that a detector should find in a search patch."""
    k, shift = SEARCH_PATCH_SCALE, (SEARCH_PATCH_PX - SEARCH_PATCH_SCALE * INPUT_SIZE_PX) / 2
    (x, y), (width, height) = TIGHT_CENTER, TIGHT_SIZE_PX
    in_crop = Box(x - width / 2, y - height / 2, x + width / 2, y + height / 2).scaled(k)
    return Box(in_crop.x0 + shift, in_crop.y0 + shift, in_crop.x1 + shift, in_crop.y1 + shift)


def tight_box_of_points(points: Points) -> Box:
    """Guess the tight forehead-to-chin box of a face from its (15, 2) points."""
    return tight_box_of_crop(keypoint_crop_of_points(points), points)


def tight_box_of_crop(to_crop: Similarity, points: Points) -> Box:
    """Guess the tight box of a face from its (15, 2) points and their keypoint crop."""
    back = to_crop.inverse()
    x, y = back.point(*TIGHT_CENTER)
    nose_x, _ = to_crop.point(*points[NOSE_TIP].tolist())
    x -= TURN_SHIFT * (nose_x - POINTS_CENTER[0]) * back.a  # along the picture: boxes are upright, whatever the roll
    width, height = TIGHT_SIZE_PX[0] * back.scale, TIGHT_SIZE_PX[1] * back.scale
    return Box(x - width / 2, y - height / 2, x + width / 2, y + height / 2)


def emotion_crop_of_points(points: Points) -> Similarity:
    """Map frame pixels to the upright 48 x 48 emotion crop of a face whose (15, 2) points are known.

    The lips alone move with the expression; eye centres and the middle of the mouth corners move least.
    """
    listed = points.tolist()
    (left_x, left_y), (right_x, right_y) = listed[MOUTH_LEFT], listed[MOUTH_RIGHT]
    mouth = [(left_x + right_x) / 2, (left_y + right_y) / 2]
    return fit_similarity([listed[LEFT_EYE], listed[RIGHT_EYE], mouth], EMOTION_TARGETS)


def cut_keypoint_crop(pixels: NDArray[np.uint8], to_crop: Similarity) -> NDArray[np.uint8]:
    """Sample (96, 96) uint8 from a frame."""
    return sample(pixels, to_crop, INPUT_SIZE_PX)


def cut_emotion_crop(pixels: NDArray[np.uint8], to_crop: Similarity) -> NDArray[np.uint8]:
    """Sample (48, 48) uint8 from a frame."""
    return sample(pixels, to_crop, EMOTION_SOURCE_SIZE_PX)


def sample(pixels: NDArray[np.uint8], to_crop: Similarity, side_px: int) -> NDArray[np.uint8]:
    """Sample a square crop; what lies outside the frame repeats the frame's border.

    A crop that shrinks the frame by 2 or more is cut from a part of the frame that is averaged first, or it would
    alias.

    Args:
        pixels: (height, width) uint8.
        to_crop: frame pixels -> crop pixels.
        side_px: side of the crop.

    Returns:
        (side_px, side_px) uint8.
    """
    factor = 1
    if to_crop.scale > _LEAST_SCALE:
        most = min(max(int(1.0 / to_crop.scale), 1), max(pixels.shape) // side_px + 1)
        factor = 1 << (most.bit_length() - 1)  # the largest power of two that is not above it
    if factor > 1:
        pixels, (left, top) = _averaged_part(pixels, to_crop, side_px, factor)
        # Pixel centres: coarse = (fine - left + 0.5) / factor - 0.5.
        shift = to_crop.point(left + (factor - 1) / 2, top + (factor - 1) / 2)
        to_crop = Similarity(to_crop.a * factor, to_crop.b * factor, *shift)
    size = (side_px, side_px)
    crop = cv2.warpAffine(pixels, to_crop.matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(crop, dtype=np.uint8)


def _averaged_part(
    pixels: NDArray[np.uint8], to_crop: Similarity, side_px: int, factor: int
) -> tuple[NDArray[np.uint8], tuple[int, int]]:
    """Average factor x factor pixels of the part of a frame that a crop shows; also return the part's left and top."""
    height, width = pixels.shape
    back = to_crop.inverse()
    x, y = back.point(side_px / 2, side_px / 2)
    reach = (abs(back.a) + abs(back.b)) * side_px / 2
    left, columns = _coarse_span(x - reach, x + reach, width, factor)
    top, rows = _coarse_span(y - reach, y + reach, height, factor)
    part = pixels[top : top + rows * factor, left : left + columns * factor]
    while part.shape[1] > columns:
        part = halved(part)
    return part, (left, top)


def _coarse_span(low: float, high: float, size: int, factor: int) -> tuple[int, int]:
    """Start of a span in pixels and its length in averaged pixels, inside the frame, with one to spare on each side."""
    start = min(max(math.floor(low) - factor, 0), max(size - factor, 0))
    end = min(max(math.ceil(high) + factor, start + factor), size)
    return start, max((end - start) // factor, 1)


def _upright(center: tuple[float, float], scale: float, target: tuple[float, float]) -> Similarity:
    return Similarity(scale, 0.0, target[0] - scale * center[0], target[1] - scale * center[1])
