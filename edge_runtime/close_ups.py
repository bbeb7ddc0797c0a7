"""A second look: faces that the net is unsure of are cut from the full frame, laid side by side and shown to it again.

The first look sees the frame shrunk into the net's input. There a face may be ten pixels large that has thirty in the
frame, and one look at anything is a guess. A sheet of close-ups shows doubtful places in a size at which the net is at
its best, in the time of one more look: a dozen of them in an input 320 wide. Where there are more, a second sheet takes
them; an input of half that width takes up to three. Where every find is sure, or large enough in the first look
already, there is no sheet at all.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.decode import Array, Candidates, iou_table, logistic, logit
from edge_runtime.preprocess import fit_factor, shrunk

Pixels = NDArray[np.uint8]
Look = Callable[[Pixels], Candidates]
"""(height, width) uint8 of the net's size -> all finds from a very low score on, in its pixels."""

LEAST_SCORE: Final = 0.1
"""Finds below are not worth another look. Like all numbers here chosen on validation pictures: docs/detector.md."""
SURE_SCORE: Final = 0.85
"""Finds from here on need none."""

_TILE_PX = 80
"""A sheet is parted into tiles of about this side."""
_SHEETS, _PLACES = 2, 12
"""What two sheets have room for is looked at, or so many places on as many sheets as they take."""
_FACE_SHARE = 0.6
"""Size of the face in its tile, of the tile's shorter side."""
_MOST_ENLARGED = 2.0
_SAME_IOU = 0.4
_UNSEEN, _BEST_SEEN = 0.02, 0.95
"""Scores of a second look: of a face that it does not find, and the best that ever comes."""


def worth_a_look(min_score: float) -> float:
    """Lowest score of a first look that a second one can bring to `min_score`; LEAST_SCORE at least."""
    least = logistic(2 * logit(np.array([min_score])) - logit(np.array([_BEST_SEEN])))
    return min(max(float(least[0]), LEAST_SCORE), min_score)


def look_again(pixels: Pixels, found: Candidates, look: Look, shape: tuple[int, int]) -> Candidates:
    """Look at the doubtful finds once more; their scores and boxes become the mean of both looks.

    Args:
        pixels: (h, w) uint8, the whole frame.
        found: finds of the first look in frame pixels, best first, from LEAST_SCORE on; weaker ones stay as they are.
        look: the net.
        shape: height and width of its input.

    Returns:
        The same finds, best first; scores are averaged as logits.
    """
    tiles = _tiles(shape)
    doubtful = np.flatnonzero(_are_doubtful(found, _FACE_SHARE * tiles[0, 2:].min(), fit_factor(pixels.shape, shape)))
    doubtful = doubtful[: max(_PLACES, _SHEETS * len(tiles))]
    if doubtful.size == 0:
        return found
    boxes, scores = found.boxes.copy(), found.scores.copy()
    for start in range(0, len(doubtful), len(tiles)):
        places = doubtful[start : start + len(tiles)]
        first, sheet = boxes[places], np.zeros(shape, np.uint8)
        scale, offset = _lay_out(sheet, tiles[: len(places)], pixels, first)
        again, which = _same_faces(look(sheet), first * scale + offset)
        boxes[places] = np.where(which[:, np.newaxis], (first + (again.boxes - offset) / scale) / 2, first)
        scores[places] = logistic((logit(scores[places]) + logit(again.scores)) / 2)
    return Candidates(boxes, scores).take(np.argsort(-scores, kind="stable"))


def _are_doubtful(found: Candidates, size_px: float, factor: float) -> NDArray[np.bool_]:
    """(N,) where a close-up of `size_px` can tell more: the first look was unsure and saw the face smaller."""
    unsure = (found.scores >= LEAST_SCORE) & (found.scores < SURE_SCORE)
    return np.asarray(unsure & (_sides(found.boxes) / factor < size_px))


def _sides(boxes: Array) -> Array:
    """(N,) square root of the area, at least 1."""
    return np.asarray(np.sqrt(np.maximum(boxes[:, 2:] - boxes[:, :2], 1.0).prod(axis=1)), np.float32)


def _tiles(shape: tuple[int, int]) -> NDArray[np.int64]:
    """Part a sheet of (height, width) into (N, 4) left, top, width, height, row by row."""
    rows, columns = (max(round(side / _TILE_PX), 1) for side in shape)
    height, width = shape[0] // rows, shape[1] // columns
    return np.array([(column * width, row * height, width, height) for row in range(rows) for column in range(columns)])


def _lay_out(sheet: Pixels, tiles: NDArray[np.int64], pixels: Pixels, boxes: Array) -> tuple[Array, Array]:
    """Lay the surroundings of every box into its tile, the box in the middle; outside the frame it stays black.

    Returns:
        (N, 4) scale and offset: corners on the sheet = corners in the frame * scale + offset.
    """
    corners, sizes = tiles[:, :2], tiles[:, 2:]
    zoom = np.minimum(_FACE_SHARE * sizes.min(axis=1) / _sides(boxes), _MOST_ENLARGED)[:, np.newaxis]
    middle, half = (boxes[:, :2] + boxes[:, 2:]) / 2, sizes / zoom / 2
    limits = np.array([pixels.shape[1], pixels.shape[0]])
    low = np.clip(np.floor(middle - half), 0, limits - 1).astype(int)
    high = np.clip(np.ceil(middle + half), low + 1, limits).astype(int)
    start = np.clip(np.rint((low - middle + half) * zoom), 0, sizes - 1).astype(int)
    span = np.clip(np.rint((high - low) * zoom), 1, sizes - start).astype(int)
    for (left, top), (width, height), (x0, y0), (x1, y1) in zip(
        (corners + start).tolist(), span.tolist(), low.tolist(), high.tolist(), strict=True
    ):
        sheet[top : top + height, left : left + width] = _resized(pixels[y0:y1, x0:x1], (width, height))
    scale = span / (high - low)
    offset = corners + start - low * scale
    return np.tile(scale, 2).astype(np.float32), np.tile(offset, 2).astype(np.float32)


def _resized(pixels: Pixels, size: tuple[int, int]) -> Pixels:
    if pixels.shape[1] > size[0] and pixels.shape[0] > size[1]:
        return shrunk(pixels, size)
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_LINEAR), np.uint8)


def _same_faces(seen: Candidates, expected: Array) -> tuple[Candidates, NDArray[np.bool_]]:
    """Pick the best find on the sheet for every (N, 4) expected box, and say where there is one."""
    if len(seen.scores) == 0:
        return Candidates(expected, np.full(len(expected), _UNSEEN, np.float32)), np.zeros(len(expected), bool)
    scores = np.where(iou_table(expected, seen.boxes) >= _SAME_IOU, seen.scores, 0.0)  # (N, finds)
    best = scores.argmax(axis=1)
    score = scores[np.arange(len(expected)), best]
    return Candidates(seen.boxes[best], np.maximum(score, _UNSEEN).astype(np.float32)), score > 0
