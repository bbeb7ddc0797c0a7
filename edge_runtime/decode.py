"""From the outputs of a faces net to boxes: the net answers per cell, this file turns cells into faces.

Every level of the net covers its input with square cells of `stride` pixels and answers a score logit and four
distances per cell: from the cell's middle to the left, upper, right and lower side of a face, as natural logarithms
of strides. Logarithms give small and large faces the same relative step in int8.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from edge_runtime.datatypes import ShapeError

SIDES: Final = 4
_MIRRORED_SIDES = (2, 1, 0, 3)
"""Right, top, left, bottom."""

_HALF = np.float32(0.5)

MAX_LOG: Final = 4.0
"""Bound of the logarithms: no face is 55 strides away from its cell, and exp must not overflow."""

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


def mirror_mean(levels: Sequence[Level], of_mirrored: Sequence[Level]) -> list[Level]:
    """Average the answers to a picture with those to its mirror image, cell by cell, as logits and logarithms."""
    return [
        Level(
            _HALF * (level.logits + other.logits[:, ::-1]),
            _HALF * (level.log_distances + other.log_distances[:, ::-1][..., _MIRRORED_SIDES]),
        )
        for level, other in zip(levels, of_mirrored, strict=True)
    ]


def decode(levels: Sequence[Level], *, input_height: int, min_score: float) -> Candidates:
    """Turn all cells of at least `min_score` into boxes, best first.

    Args:
        levels: answers of the net.
        input_height: of the net's input, pixels; it tells the stride of a level.
        min_score: 0..1.
    """
    threshold = _logit(min_score)
    parts = [_decode_level(level, input_height // level.logits.shape[0], threshold) for level in levels]
    boxes = np.concatenate([part.boxes for part in parts])
    scores = np.concatenate([part.scores for part in parts])
    return Candidates(boxes, scores).take(np.argsort(-scores, kind="stable"))


def _logit(score: float) -> float:
    bounded = min(max(score, 1e-6), 1 - 1e-6)
    return float(np.log(bounded / (1 - bounded)))


def _decode_level(level: Level, stride: int, threshold: float) -> Candidates:
    rows, columns = np.nonzero(level.logits >= threshold)
    logits = level.logits[rows, columns]
    bounded = np.clip(level.log_distances[rows, columns], -MAX_LOG, MAX_LOG)
    left, top, right, bottom = (np.exp(bounded) * np.float32(stride)).T
    x, y = cell_middle(columns, stride), cell_middle(rows, stride)
    boxes = np.stack([x - left, y - top, x + right, y + bottom], axis=1).astype(np.float32)
    return Candidates(boxes, (1.0 / (1.0 + np.exp(-logits))).astype(np.float32))


def cell_middle(index: NDArray[np.int64], stride: int) -> Array:
    """Middle of cells along one axis, pixels of the input (half-open boxes: the picture spans 0..size)."""
    return ((index + 0.5) * stride).astype(np.float32)


def suppress(found: Candidates, *, max_overlap: float, limit: int) -> Candidates:
    """Keep the best of boxes that overlap by more than `max_overlap` (IoU): greedy non-maximum suppression.

    Args:
        found: best first.
        max_overlap: IoU.
        limit: candidates that are looked at, and so a bound of the work.
    """
    found = found.take(np.arange(min(limit, len(found.scores))))
    overlap = iou_table(found.boxes, found.boxes)
    alive = np.ones(len(found.scores), bool)
    kept = []
    for index in range(len(alive)):
        if alive[index]:
            kept.append(index)
            alive &= overlap[index] <= max_overlap
    return found.take(np.array(kept, np.int64))


def iou_table(a: Array, b: Array) -> Array:
    """(N, 4) and (M, 4) boxes -> (N, M) intersection over union."""
    sides = np.minimum(a[:, np.newaxis, 2:], b[:, 2:]) - np.maximum(a[:, np.newaxis, :2], b[:, :2])  # (N, M, 2)
    shared = np.clip(sides, 0, None).prod(axis=2)
    total = _areas(a)[:, np.newaxis] + _areas(b) - shared
    return np.asarray(shared / np.maximum(total, 1e-9), np.float32)


def _areas(boxes: Array) -> Array:
    return np.asarray(np.clip(boxes[:, 2:] - boxes[:, :2], 0, None).prod(axis=1), np.float32)
