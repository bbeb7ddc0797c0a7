from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from converter.faces.net import STRIDES
from converter.faces.targets import BACKGROUND, FACE, IGNORED, cell_count, cell_targets
from converter.recipe import Detection

SIDE = 128
RECIPE = Detection(level_limits_px=(32.0, 64.0), level_overlap=1.0, center_radius=1.0)


def by_level(*boxes: tuple[float, float, float, float], ignored: bool = False) -> list[NDArray[np.float32]]:
    """Return (rows, columns, 5) per level."""
    corners = np.array(boxes, np.float32).reshape(-1, 4)
    flat = cell_targets(corners, np.full(len(corners), ignored), SIDE, RECIPE)
    counts = [(SIDE // stride) ** 2 for stride in STRIDES]
    parts = np.split(flat, np.cumsum(counts)[:-1])
    return [part.reshape(SIDE // stride, -1, 5) for part, stride in zip(parts, STRIDES, strict=True)]


def test_a_picture_without_faces_is_background() -> None:
    levels = by_level()

    assert sum(level[..., 0].size for level in levels) == cell_count(SIDE) == 16 * 16 + 8 * 8 + 4 * 4
    assert all((level == BACKGROUND).all() for level in levels)


def test_a_small_face_belongs_to_the_fine_cells_at_its_middle() -> None:
    fine, middle, coarse = by_level((36, 52, 60, 76))

    rows, columns = np.nonzero(fine[..., 0] == FACE)
    assert set(rows) == {7, 8}  # middles at 60 and 68, the face's middle is y = 64
    assert set(columns) == {5, 6}  # middles at 44 and 52 of x = 48
    assert (fine[7, 5, 1:] == [36, 52, 60, 76]).all()
    assert (middle[..., 0] == BACKGROUND).all()
    assert (coarse[..., 0] == BACKGROUND).all()


def test_larger_faces_belong_to_coarser_cells() -> None:
    middle_sized = by_level((10, 10, 60, 60))
    large = by_level((10, 10, 110, 110))

    assert [bool((level[..., 0] == FACE).any()) for level in middle_sized] == [False, True, False]
    assert [bool((level[..., 0] == FACE).any()) for level in large] == [False, False, True]


def test_a_face_between_cell_middles_still_has_a_cell() -> None:
    fine = by_level((5, 5, 11, 11))[0]

    assert (fine[..., 0] == FACE).sum() == 1


def test_an_ignored_face_is_neither_face_nor_background() -> None:
    levels = by_level((36, 52, 60, 76), ignored=True)

    assert all((level[..., 0] == IGNORED).any() for level in levels)
    assert not any((level[..., 0] == FACE).any() for level in levels)


def test_where_faces_overlap_the_smaller_one_is_answered_for() -> None:
    fine = by_level((30, 30, 60, 60), (40, 40, 52, 52))[0]

    assert (fine[5, 5, 1:] == [40, 40, 52, 52]).all()
