from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge_runtime.datatypes import ShapeError
from edge_runtime.decode import Candidates, Level, cell_middle, decode, iou_table, pair_outputs, suppress

ROUNDING = 1e-5
SILENT = -20.0
"""A logit far below any threshold."""


def level(rows: int, columns: int, cells: dict[tuple[int, int], tuple[float, list[float]]]) -> Level:
    """Build a level that is silent but for the given cells: (row, column) -> logit, log distances."""
    logits = np.full((rows, columns), SILENT, np.float32)
    distances = np.zeros((rows, columns, 4), np.float32)
    for (row, column), (logit, logs) in cells.items():
        logits[row, column], distances[row, column] = logit, logs
    return Level(logits, distances)


def candidates(*rows: tuple[float, float, float, float, float]) -> Candidates:
    table = np.array(rows, np.float32).reshape(-1, 5)
    return Candidates(table[:, :4], table[:, 4])


def test_outputs_are_paired_by_their_size_finest_first() -> None:
    shapes = [(1, 8, 10, 4), (1, 32, 40, 1), (1, 8, 10, 1), (1, 32, 40, 4)]

    assert pair_outputs(shapes) == [(1, 3), (2, 0)]


@pytest.mark.parametrize("shapes", [[], [(1, 8, 10, 1)], [(1, 8, 10, 1), (1, 4, 5, 4)], [(1, 30)]])
def test_outputs_without_a_partner_are_refused(shapes: list[tuple[int, ...]]) -> None:
    with pytest.raises(ShapeError, match="faces net: expected pairs"):
        pair_outputs(shapes)


def test_a_cell_becomes_a_box_around_its_middle() -> None:
    two, half = float(np.log(2)), float(np.log(0.5))
    coarse = level(2, 3, {(1, 2): (0.0, [0.0, two, half, 0.0])})

    found = decode([coarse], input_height=64, min_score=0.5)

    # Stride 32, middle of the cell at (80, 48): 32 to the left, 64 up, 16 to the right, 32 down.
    assert found.boxes.tolist() == [pytest.approx([48, -16, 96, 80])]
    assert found.scores.tolist() == [0.5]


def test_finds_of_all_levels_come_best_first_and_weak_ones_not_at_all() -> None:
    fine = level(8, 8, {(0, 0): (1.0, [0.0] * 4), (5, 5): (-1.0, [0.0] * 4)})
    coarse = level(4, 4, {(2, 2): (3.0, [0.0] * 4)})

    found = decode([fine, coarse], input_height=64, min_score=0.5)

    assert found.scores.tolist() == pytest.approx([1 / (1 + np.exp(-3)), 1 / (1 + np.exp(-1))])
    assert found.boxes[1].tolist() == pytest.approx([-4, -4, 12, 12])


def test_a_silent_picture_has_no_finds() -> None:
    found = suppress(decode([level(4, 4, {})], input_height=32, min_score=0.3), max_overlap=0.4, limit=10)

    assert found.boxes.shape == (0, 4)
    assert found.scores.shape == (0,)


def test_wild_answers_give_finite_boxes() -> None:
    found = decode([level(1, 1, {(0, 0): (50.0, [1e6, -1e6, 1e6, 1e6])})], input_height=8, min_score=0.0)

    assert np.isfinite(found.boxes).all()
    assert found.scores.tolist() == [1.0]


def test_of_overlapping_boxes_the_best_is_kept() -> None:
    found = candidates((0, 0, 10, 10, 0.9), (1, 0, 11, 10, 0.8), (20, 0, 30, 10, 0.7), (0, 5, 10, 15, 0.6))

    kept = suppress(found, max_overlap=0.4, limit=100)

    # The second overlaps the first by 90 / 110, the last by 50 / 150.
    assert kept.scores.tolist() == pytest.approx([0.9, 0.7, 0.6])


def test_suppression_looks_at_no_more_than_its_limit() -> None:
    found = candidates(*[(20 * i, 0, 20 * i + 10, 10, 0.5) for i in range(9)])

    assert len(suppress(found, max_overlap=0.4, limit=4).scores) == 4


BOX = st.tuples(*[st.floats(0, 100, width=32)] * 2, *[st.floats(1, 50, width=32)] * 2)


@given(st.lists(BOX, max_size=12), st.floats(0.1, 0.9))
def test_kept_boxes_do_not_overlap_and_every_other_overlaps_a_kept_one(
    boxes: list[tuple[float, float, float, float]], max_overlap: float
) -> None:
    corners = np.array([(x, y, x + w, y + h) for x, y, w, h in boxes], np.float32).reshape(-1, 4)
    found = Candidates(corners, np.linspace(1, 0.1, len(boxes), dtype=np.float32))

    kept = suppress(found, max_overlap=max_overlap, limit=100)

    among = iou_table(kept.boxes, kept.boxes) - 2 * np.eye(len(kept.scores), dtype=np.float32)
    assert (among <= max_overlap + ROUNDING).all()
    lost = np.array([score not in kept.scores for score in found.scores], bool)
    assert (iou_table(found.boxes[lost], kept.boxes).max(axis=1, initial=0) > max_overlap - ROUNDING).all()


def test_overlap_is_what_a_hand_computes() -> None:
    a = np.array([[0, 0, 4, 4], [10, 10, 12, 12]], np.float32)
    b = np.array([[2, 2, 6, 6], [0, 0, 4, 4], [4, 0, 8, 4]], np.float32)

    table = iou_table(a, b)

    assert table == pytest.approx(np.array([[4 / 28, 1, 0], [0, 0, 0]]))


@pytest.mark.parametrize(("stride", "expected"), [(8, [4, 12]), (32, [16, 48])])
def test_cells_tile_the_picture(stride: int, expected: list[int]) -> None:
    middles: NDArray[np.float32] = cell_middle(np.arange(2), stride)

    assert middles.tolist() == expected
