"""Random changes of training pictures. A mirror swaps left and right names of the points."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from converter.recipe import Augment
from edge_runtime.contract import INPUT_SIZE_PX, MIRROR_ORDER

Picture = NDArray[np.uint8]
Points = NDArray[np.float32]
Affine = NDArray[np.float64]

_CENTER = (INPUT_SIZE_PX - 1) / 2


def random_affine(augment: Augment, rng: np.random.Generator, *, source_px: int, span_px: int) -> Affine:
    """Draw a map from source pixels to the 96 x 96 input: roll, scale and shift about the centre.

    Args:
        augment: ranges.
        rng: source of randomness.
        source_px: side of the source picture.
        span_px: how many source pixels the input spans when nothing is drawn.

    Returns:
        (2, 3) matrix on pixel centres.
    """
    angle = math.radians(rng.uniform(-augment.rotation_deg, augment.rotation_deg))
    scale = math.exp(rng.uniform(-augment.scale, augment.scale)) * INPUT_SIZE_PX / span_px
    shift = rng.uniform(-augment.shift_px, augment.shift_px, 2)
    c, s = scale * math.cos(angle), scale * math.sin(angle)
    linear = np.array([[c, -s], [s, c]])
    middle = np.full(2, (source_px - 1) / 2)
    offset = _CENTER + shift - linear @ middle
    return np.hstack([linear, offset[:, np.newaxis]])


def warp(picture: Picture, affine: Affine) -> Picture:
    """Sample the 96 x 96 input; the border is replicated as at run time."""
    size = (INPUT_SIZE_PX, INPUT_SIZE_PX)
    warped = cv2.warpAffine(picture, affine, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(warped, dtype=np.uint8)


def move(points: Points, affine: Affine) -> Points:
    """Apply a (2, 3) map to (15, 2) points; NaN stays NaN."""
    return (points @ affine[:, :2].T + affine[:, 2]).astype(np.float32)


def mirror(picture: Picture) -> Picture:
    """Flip left and right."""
    return np.ascontiguousarray(picture[:, ::-1])


def mirror_points(points: Points) -> Points:
    """Flip (15, 2) points of the 96 x 96 input and swap the names that have a side."""
    swapped = points[list(MIRROR_ORDER)]
    swapped[:, 0] = (INPUT_SIZE_PX - 1) - swapped[:, 0]
    return swapped


def light(picture: Picture, augment: Augment, rng: np.random.Generator) -> Picture:
    """Change gamma, contrast and brightness, blur, add noise, cover a part."""
    real = picture.astype(np.float32) / 255.0
    real = real ** math.exp(rng.uniform(-augment.gamma, augment.gamma))
    gain = 1 + rng.uniform(-augment.contrast, augment.contrast)
    mean = float(real.mean())
    real = (real - mean) * gain + mean + rng.uniform(-augment.brightness, augment.brightness)
    if rng.random() < augment.blur:
        real = np.asarray(cv2.GaussianBlur(real, (0, 0), rng.uniform(0.5, 2.0)), np.float32)
    noise = rng.uniform(0, augment.noise) / 255.0
    real = real + noise * rng.standard_normal(real.shape, dtype=np.float32)
    if rng.random() < augment.erase:
        _cover(real, rng)
    return np.asarray(np.clip(real, 0.0, 1.0) * 255.0 + 0.5).astype(np.uint8)


def _cover(real: NDArray[np.float32], rng: np.random.Generator) -> None:
    """Paint one rectangle of 2-16 % of the area, in place."""
    side = real.shape[0]
    height, width = rng.integers(int(0.14 * side), int(0.4 * side), 2)
    top, left = rng.integers(0, side - height), rng.integers(0, side - width)
    real[top : top + height, left : left + width] = rng.random()
