"""From the outputs of a faces net to boxes: the net answers per cell, this file turns cells into faces.

Every level of the net covers its input with square cells of `stride` pixels and answers a score logit and four
distances per cell: from the cell's middle to the left, upper, right and lower side of a face, as natural logarithms
of strides. Logarithms give small and large faces the same relative step in int8.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.datatypes import ShapeError

SIDES: Final = 4
MAX_LOG: Final = 4.0
"""Bound of the logarithms: no face is 55 strides away from its cell, and exp must not overflow."""

MAX_OVERLAP: Final = 0.4
"""IoU above which two boxes are of one face."""
MAX_CANDIDATES: Final = 400
"""Cells that are looked at before overlapping boxes are merged; bounds the work on a picture full of faces."""

_TINY = np.float32(1e-6)

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Level:
    """What the net answers at one resolution."""

    logits: Array
    """(rows, columns) score before the logistic function."""

    log_distances: Array
    """(rows, columns, 4) left, top, right, bottom."""


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Faces in pixels of the net's input, before or after suppression."""

    boxes: Array
    """(N, 4) x0, y0, x1, y1."""

    scores: Array
    """(N,) 0..1."""

    def take(self, rows: NDArray[np.int64]) -> Candidates:
        """Choose some, in the given order."""
        return Candidates(self.boxes[rows], self.scores[rows])

    def longer_sides(self) -> Array:
        """(N,) pixels."""
        return np.asarray((self.boxes[:, 2:] - self.boxes[:, :2]).max(axis=1, initial=0.0), np.float32)

    def scaled(self, factor: float) -> Candidates:
        """Multiply the boxes."""
        return Candidates(self.boxes * np.float32(factor), self.scores)


def shorter_sides(boxes: Array) -> Array:
    """(N, 4) boxes -> (N,) pixels."""
    return np.asarray((boxes[:, 2:] - boxes[:, :2]).min(axis=1), np.float32)


def pair_outputs(shapes: Sequence[tuple[int, ...]]) -> list[tuple[int, int]]:
    """Find which two outputs belong to one level, finest level first.

    Args:
        shapes: (1, rows, columns, 1) for scores and (1, rows, columns, 4) for distances, in any order.

    Returns:
        Indices of scores and of distances per level.

    Raises:
        ShapeError: an output without its partner, or of another form.
    """
    scores = {shape[1:3]: index for index, shape in enumerate(shapes) if shape[-1] == 1}
    distances = {shape[1:3]: index for index, shape in enumerate(shapes) if shape[-1] == SIDES}
    if set(scores) != set(distances) or 2 * len(scores) != len(shapes) or not scores:
        raise ShapeError(f"faces net: expected pairs (1, h, w, 1) and (1, h, w, 4), found {list(shapes)}")
    return [(scores[size], distances[size]) for size in sorted(scores, reverse=True)]


def decode(levels: Sequence[Level], *, input_height: int, min_score: float) -> Candidates:
    """Turn all cells of at least `min_score` into boxes, best first.

    Args:
        levels: answers of the net.
        input_height: of the net's input, pixels; it tells the stride of a level.
        min_score: 0..1.
    """
    threshold = float(logit(np.array([min_score]))[0])
    parts = [_decode_level(level, input_height // level.logits.shape[0], threshold) for level in levels]
    boxes = np.concatenate([part.boxes for part in parts])
    scores = np.concatenate([part.scores for part in parts])
    return Candidates(boxes, scores).take(np.argsort(-scores, kind="stable"))


def logit(scores: NDArray[np.floating[Any]]) -> Array:
    """Undo the logistic function; finite for 0 and 1."""
    bounded = np.clip(np.asarray(scores, np.float32), _TINY, 1 - _TINY)
    return np.asarray(np.log(bounded / (1 - bounded)), np.float32)


def logistic(logits: NDArray[np.floating[Any]]) -> Array:
    """Turn logits into scores, 0..1."""
    return np.asarray(1.0 / (1.0 + np.exp(-logits)), np.float32)


def _decode_level(level: Level, stride: int, threshold: float) -> Candidates:
    rows, columns = np.nonzero(level.logits >= threshold)
    logits = level.logits[rows, columns]
    bounded = np.clip(level.log_distances[rows, columns], -MAX_LOG, MAX_LOG)
    left, top, right, bottom = (np.exp(bounded) * np.float32(stride)).T
    x, y = cell_middle(columns, stride), cell_middle(rows, stride)
    boxes = np.stack([x - left, y - top, x + right, y + bottom], axis=1).astype(np.float32)
    return Candidates(boxes, logistic(logits))


def cell_middle(index: NDArray[np.int64], stride: int) -> Array:
    """Middle of cells along one axis, pixels of the input (half-open boxes: the picture spans 0..size)."""
    return ((index + 0.5) * stride).astype(np.float32)


def suppress(found: Candidates, *, max_overlap: float = MAX_OVERLAP, limit: int = MAX_CANDIDATES) -> Candidates:
    """Keep the best of boxes that overlap by more than `max_overlap` (IoU): greedy non-maximum suppression.

    Args:
        found: best first.
        max_overlap: IoU.
        limit: candidates that are looked at, and so a bound of the work.
    """
    found = found.take(np.arange(min(limit, len(found.scores))))
    corner, far = found.boxes[:, :2], found.boxes[:, 2:]
    kept = cv2.dnn.NMSBoxes(np.hstack([corner, far - corner]).tolist(), found.scores.tolist(), 0.0, max_overlap)
    return found.take(np.asarray(kept, np.int64).ravel())


def iou_table(a: Array, b: Array) -> Array:
    """(N, 4) and (M, 4) boxes -> (N, M) intersection over union."""
    # Axis by axis on flat arrays: reductions over an axis of two are slow in numpy.
    a0, a1, a2, a3 = (a[:, side, np.newaxis] for side in range(SIDES))
    b0, b1, b2, b3 = b.T
    width, height = np.minimum(a2, b2) - np.maximum(a0, b0), np.minimum(a3, b3) - np.maximum(a1, b1)
    shared = np.maximum(width, 0) * np.maximum(height, 0)
    total = _areas(a)[:, np.newaxis] + _areas(b) - shared
    return np.asarray(shared / np.maximum(total, 1e-9), np.float32)


def _areas(boxes: Array) -> Array:
    width, height = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    return np.asarray(np.maximum(width, 0) * np.maximum(height, 0), np.float32)
