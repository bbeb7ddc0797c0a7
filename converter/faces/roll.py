"""Lays a rolled picture into another, with the boxes of its faces."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from converter.faces.data import Boxes, Picture

Point = NDArray[np.float64]


def lay_rolled(pixels: Picture, patch: Picture, boxes: Boxes, angle: float, move: tuple[Point, Point]) -> Boxes:
    """Draw a rolled picture into another, as far as it reaches.

    Args:
        pixels: (h, w) uint8, changed in place.
        patch: what is laid, at its final size.
        boxes: (N, 4) of the patch.
        angle: radians, clockwise.
        move: a point of the patch, and where it shall lie in `pixels`.

    Returns:
        (N, 4) upright boxes around the rolled faces, each taken for the ellipse that its box holds.
    """
    c, s = math.cos(angle), math.sin(angle)
    turn = np.array([[c, -s], [s, c]])
    about, target = move
    shift = target - turn @ about
    # warpAffine counts from the middle of a pixel, boxes from its corner.
    affine = np.hstack([turn, (shift + turn @ (0.5, 0.5) - 0.5)[:, np.newaxis]])
    size = (pixels.shape[1], pixels.shape[0])
    rolled = cv2.warpAffine(patch, affine, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    # Not with BORDER_TRANSPARENT: measured, it draws the patch's outline half a pixel too far right and down.
    covered = cv2.warpAffine(np.ones_like(patch), affine, size, flags=cv2.INTER_NEAREST).astype(bool)
    pixels[covered] = rolled[covered]
    half = (boxes[:, 2:] - boxes[:, :2]) / 2
    around = np.sqrt(half**2 @ (turn**2).T)
    middles = (boxes[:, :2] + half) @ turn.T + shift
    return np.hstack([middles - around, middles + around]).astype(np.float32)
