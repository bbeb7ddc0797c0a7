"""Which cells answer for which face: the matching of the faces net."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from converter.faces.data import Boxes, size_of
from converter.faces.net import STRIDES
from converter.recipe import Detection
from edge_runtime.decode import cell_middle

COLUMNS: Final = 5
"""State, then x0, y0, x1, y1 of the face a cell answers for."""

FACE, BACKGROUND, IGNORED = 1.0, 0.0, -1.0


def cell_count(side: int) -> int:
    """Count the cells of all levels of a square input."""
    return sum((side // stride) ** 2 for stride in STRIDES)


def cell_targets(boxes: Boxes, ignored: NDArray[np.bool_], side: int, recipe: Detection) -> NDArray[np.float32]:
    """Tell every cell what to answer.

    Args:
        boxes: (N, 4) x0, y0, x1, y1 in pixels of the square input.
        ignored: (N,) True: neither face nor background.
        side: of the input, a multiple of 32.
        recipe: sizes and radius.

    Returns:
        (cells, 5): FACE with its box, BACKGROUND or IGNORED; cells row by row, finest level first.
    """
    return np.concatenate([_level_targets(boxes, ignored, side, level, recipe) for level in range(len(STRIDES))])


def _level_targets(
    boxes: Boxes, ignored: NDArray[np.bool_], side: int, level: int, recipe: Detection
) -> NDArray[np.float32]:
    stride = STRIDES[level]
    middles = cell_middle(np.arange(side // stride), stride)
    targets = np.zeros((len(middles), len(middles), COLUMNS), np.float32)
    sizes = size_of(boxes)
    for box in boxes[ignored]:
        _rows_and_columns_inside(targets, middles, _grown(box, stride / 2))[..., 0] = IGNORED
    low, high = _size_range(level, recipe)
    # Largest first: where faces overlap, the cell answers for the smaller one.
    for index in np.argsort(-sizes):
        if not ignored[index] and low <= sizes[index] < high:
            middle = _middle_part(boxes[index], stride * recipe.center_radius)
            if not _inside(middles, middle[0], middle[2]).any() or not _inside(middles, middle[1], middle[3]).any():
                middle = _nearest_cell(middles, boxes[index], stride)
            _rows_and_columns_inside(targets, middles, middle)[...] = (FACE, *boxes[index])
    return targets.reshape(-1, COLUMNS)


def _size_range(level: int, recipe: Detection) -> tuple[float, float]:
    limits = (0.0, *recipe.level_limits_px, float("inf"))
    return limits[level] / recipe.level_overlap, limits[level + 1] * recipe.level_overlap


def _grown(box: Boxes, by: float) -> Boxes:
    return box + np.array([-by, -by, by, by], np.float32)


def _middle_part(box: Boxes, radius: float) -> Boxes:
    """Cut a box to the square around its middle."""
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    low = np.maximum(box[:2], [x - radius, y - radius])
    high = np.minimum(box[2:], [x + radius, y + radius])
    return np.concatenate([low, high]).astype(np.float32)


def _nearest_cell(middles: NDArray[np.float32], box: Boxes, stride: int) -> Boxes:
    """Square around the middle of the one cell in which the middle of a small box lies."""
    x, y = (middles[np.abs(middles - (box[axis] + box[axis + 2]) / 2).argmin()] for axis in (0, 1))
    quarter = stride / 4
    return np.array([x - quarter, y - quarter, x + quarter, y + quarter], np.float32)


def _inside(middles: NDArray[np.float32], low: float, high: float) -> NDArray[np.bool_]:
    return np.asarray((middles >= low) & (middles < high))


def _rows_and_columns_inside(
    targets: NDArray[np.float32], middles: NDArray[np.float32], box: Boxes
) -> NDArray[np.float32]:
    """View of the cells whose middles lie in a box."""
    left, right = np.searchsorted(middles, box[[0, 2]])
    top, bottom = np.searchsorted(middles, box[[1, 3]])
    return targets[top:bottom, left:right]
