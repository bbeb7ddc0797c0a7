"""Boxes and similarity transforms; pixel centres lie at whole numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float32]
"""(N, 2) x, y."""

_LEAST_SPREAD = 1e-6
"""Square pixels below which all points are in one place: only a shift can be told."""


@dataclass(frozen=True, slots=True)
class Box:
    """Rectangle in frame pixels, half-open: x0 <= x < x1."""

    x0: float
    y0: float
    x1: float
    y1: float

    @property
    def width(self) -> float:
        """Pixels from left to right."""
        return self.x1 - self.x0

    @property
    def height(self) -> float:
        """Pixels from top to bottom."""
        return self.y1 - self.y0

    @property
    def area(self) -> float:
        """Square pixels; 0 for an empty box."""
        return max(self.width, 0.0) * max(self.height, 0.0)

    @property
    def center(self) -> tuple[float, float]:
        """Middle of the box, x and y."""
        return (self.x0 + self.x1) / 2, (self.y0 + self.y1) / 2

    def clipped(self, width: int, height: int) -> Box:
        """Cut the box at the border of a picture."""
        return Box(max(self.x0, 0.0), max(self.y0, 0.0), min(self.x1, float(width)), min(self.y1, float(height)))

    def scaled(self, factor: float) -> Box:
        """Multiply all coordinates, as when the picture is resized."""
        return Box(self.x0 * factor, self.y0 * factor, self.x1 * factor, self.y1 * factor)


def intersection(a: Box, b: Box) -> float:
    """Square pixels that two boxes share."""
    width = min(a.x1, b.x1) - max(a.x0, b.x0)
    height = min(a.y1, b.y1) - max(a.y0, b.y0)
    return max(width, 0.0) * max(height, 0.0)


def iou(a: Box, b: Box) -> float:
    """Intersection over union, 0..1."""
    shared = intersection(a, b)
    return shared / (a.area + b.area - shared) if shared > 0 else 0.0


def coverage(a: Box, b: Box) -> float:
    """Share of the smaller box that lies in the other one, 0..1; 1 when one holds the other."""
    smaller = min(a.area, b.area)
    return intersection(a, b) / smaller if smaller > 0 else 0.0


@dataclass(frozen=True, slots=True)
class Similarity:
    """Shift, scale and roll: (x, y) -> (a x - b y + tx, b x + a y + ty)."""

    a: float
    b: float
    tx: float
    ty: float

    @property
    def scale(self) -> float:
        """How many target pixels a source pixel becomes."""
        return math.hypot(self.a, self.b)

    @property
    def matrix(self) -> NDArray[np.float64]:
        """(2, 3) matrix as OpenCV takes it."""
        return np.array([[self.a, -self.b, self.tx], [self.b, self.a, self.ty]], np.float64)

    def apply(self, points: Points) -> Points:
        """Map (N, 2) points; NaN stays NaN."""
        # One product: a dozen points cost the calls, not the arithmetic.
        turned = points @ np.array([[self.a, self.b], [-self.b, self.a]], points.dtype)
        return (turned + np.array([self.tx, self.ty], points.dtype)).astype(np.float32, copy=False)

    def point(self, x: float, y: float) -> tuple[float, float]:
        """Map one point; for one, numpy's calls cost twenty times the arithmetic."""
        return self.a * x - self.b * y + self.tx, self.b * x + self.a * y + self.ty

    def inverse(self) -> Similarity:
        """Map back."""
        square = self.a * self.a + self.b * self.b
        a, b = self.a / square, -self.b / square
        return Similarity(a, b, -(a * self.tx - b * self.ty), -(b * self.tx + a * self.ty))


def fit_similarity(source: Sequence[Sequence[float]], target: Sequence[Sequence[float]]) -> Similarity:
    """Least-squares shift, scale and roll that bring the points x, y of `source` to those of `target`, two or more.

    Source: S. Umeyama, "Least-squares estimation of transformation parameters between two point patterns", 1991,
    in its two-dimensional form without reflection.
    """
    # Plain numbers: for a handful of points numpy's calls cost ten times the arithmetic.
    from_x, from_y = _middle(source)
    to_x, to_y = _middle(target)
    spread = along = across = 0.0
    for source_point, target_point in zip(source, target, strict=True):
        sx, sy = source_point[0] - from_x, source_point[1] - from_y
        tx, ty = target_point[0] - to_x, target_point[1] - to_y
        spread += sx * sx + sy * sy
        along += sx * tx + sy * ty
        across += sx * ty - sy * tx
    a, b = (along / spread, across / spread) if spread >= _LEAST_SPREAD else (1.0, 0.0)
    return Similarity(a, b, to_x - (a * from_x - b * from_y), to_y - (b * from_x + a * from_y))


def _middle(points: Sequence[Sequence[float]]) -> tuple[float, float]:
    count = len(points)
    return sum(x for x, _ in points) / count, sum(y for _, y in points) / count
