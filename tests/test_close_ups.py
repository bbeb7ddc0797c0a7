"""The second look: what is doubtful is shown again in a larger size, what comes back lies where it was."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge_runtime.close_ups import LEAST_SCORE, SURE_SCORE, look_again, worth_a_look
from edge_runtime.decode import Candidates, logistic, logit

SHAPE = (256, 320)
TILES = 12
NOTHING = Candidates(np.empty((0, 4), np.float32), np.empty(0, np.float32))


def finds(*rows: tuple[float, list[float]]) -> Candidates:
    """Score and corners of each."""
    return Candidates(
        np.array([corners for _, corners in rows], np.float32), np.array([score for score, _ in rows], np.float32)
    )


class BrightSquares:
    """A net that takes every bright square of a black sheet for a face."""

    def __init__(self, score: float) -> None:
        self.sheets: list[NDArray[np.uint8]] = []
        self._score = score

    def __call__(self, sheet: NDArray[np.uint8]) -> Candidates:
        self.sheets.append(sheet)
        found = []
        for top in range(0, 3 * 85, 85):
            for left in range(0, 4 * 80, 80):
                rows, columns = np.nonzero(sheet[top : top + 85, left : left + 80] > 100)
                if len(rows):
                    corners = [left + columns.min(), top + rows.min(), left + columns.max() + 1, top + rows.max() + 1]
                    found.append((self._score, [float(value) for value in corners]))
        return finds(*found) if found else NOTHING


def frame(*squares: tuple[int, int, int]) -> NDArray[np.uint8]:
    """Draw bright squares: left, top, side."""
    pixels = np.zeros((480, 640), np.uint8)
    for left, top, side in squares:
        pixels[top : top + side, left : left + side] = 255
    return pixels


def test_score_and_box_become_the_mean_of_both_looks() -> None:
    net = BrightSquares(score=0.8)
    first = finds((0.4, [296.0, 200.0, 336.0, 240.0]))

    again = look_again(frame((300, 200, 40)), first, net, SHAPE)

    # The first look was 4 px off to the left; logits of 0.4 and 0.8 are -0.405 and 1.386, their mean is 0.490.
    np.testing.assert_allclose(again.boxes[0], [298.0, 200.0, 338.0, 240.0], atol=1.0)
    assert again.scores[0] == pytest.approx(0.62, abs=0.005)


def test_small_faces_are_enlarged_twice_at_most_and_others_to_what_a_tile_holds() -> None:
    net = BrightSquares(score=0.8)
    pixels = frame((20, 20, 12), (300, 100, 60))

    look_again(pixels, finds((0.5, [20, 20, 32, 32]), (0.4, [300, 100, 360, 160])), net, SHAPE)

    sizes = sorted(float(width) for width in (net(net.sheets[0]).boxes[:, 2] - net(net.sheets[0]).boxes[:, 0]))
    assert sizes == pytest.approx([24, 48], abs=2)  # 0.6 of the 80 px tile


def test_a_face_that_the_first_look_saw_as_large_as_a_close_up_is_not_looked_at_again() -> None:
    net = BrightSquares(score=0.8)
    first = finds((0.5, [300, 100, 400, 200]))  # 50 px of the input

    assert look_again(frame((300, 100, 100)), first, net, SHAPE) is first


def test_what_is_not_seen_again_falls_behind() -> None:
    first = finds((0.7, [300, 200, 340, 240]), (0.5, [100, 100, 140, 140]))

    again = look_again(frame((100, 100, 40)), first, BrightSquares(score=0.8), SHAPE)

    np.testing.assert_allclose(again.boxes[0], [100, 100, 140, 140], atol=1.0)
    assert again.boxes[1].tolist() == [300, 200, 340, 240]
    assert again.scores[1] < 0.2


@pytest.mark.parametrize("score", [LEAST_SCORE / 2, SURE_SCORE])
def test_there_is_no_second_look_at_what_is_sure_or_hopeless(score: float) -> None:
    net = BrightSquares(score=0.8)
    first = finds((score, [300.0, 200.0, 340.0, 240.0]))

    assert look_again(frame((300, 200, 40)), first, net, SHAPE) is first
    assert net.sheets == []


def many(count: int) -> tuple[list[tuple[int, int, int]], Candidates]:
    """Doubtful finds in rows, each with a score of its own, and where they are."""
    places = [(40 * (index % 15), 50 + 60 * (index // 15), 20) for index in range(count)]
    scores = np.linspace(0.8, 0.2, count, dtype=np.float32)
    return places, Candidates(np.array([(x, y, x + s, y + s) for x, y, s in places], np.float32), scores)


def test_two_sheets_bound_the_time_and_the_best_doubtful_finds_are_on_them() -> None:
    places, first = many(2 * TILES + 4)
    net = BrightSquares(score=0.9)

    again = look_again(frame(*places), first, net, SHAPE)

    assert len(net.sheets) == 2
    assert np.isin(first.scores, again.scores).tolist() == [False] * 2 * TILES + [True] * 4
    seen = logistic((logit(first.scores[: 2 * TILES]) + logit(np.array([0.9]))) / 2)
    assert np.sort(again.scores)[4:] == pytest.approx(np.sort(seen))


def test_there_is_no_second_sheet_where_the_first_has_room() -> None:
    places, first = many(TILES)
    net = BrightSquares(score=0.9)

    look_again(frame(*places), first, net, SHAPE)

    assert len(net.sheets) == 1


def test_a_small_input_shows_twelve_places_on_three_sheets() -> None:
    places, first = many(TILES + 4)
    sheets = []

    def sees_nothing(sheet: NDArray[np.uint8]) -> Candidates:
        sheets.append(sheet)
        return NOTHING

    again = look_again(frame(*places), first, sees_nothing, (128, 160))

    assert len(sheets) == 3
    assert all(sheet.shape == (128, 160) for sheet in sheets)
    for top in (0, 64):
        for left in (0, 80):
            assert all(sheet[top : top + 64, left : left + 80].max() == 255 for sheet in sheets)
    assert np.isin(first.scores, again.scores).tolist() == [False] * TILES + [True] * 4


@pytest.mark.parametrize(("wanted", "expected"), [(0.65, 0.154), (0.5, LEAST_SCORE), (0.05, 0.05)])
def test_what_cannot_reach_the_wanted_score_is_not_looked_at(wanted: float, expected: float) -> None:
    assert worth_a_look(wanted) == pytest.approx(expected, abs=0.001)


@given(
    st.tuples(st.integers(-50, 700), st.integers(-50, 500), st.integers(1, 23), st.integers(1, 23)),
    st.sampled_from([(128, 160), (256, 320), (480, 640)]),
    st.tuples(st.integers(1, 900), st.integers(1, 900)),
)
def test_any_box_in_any_frame_comes_back_where_it_was(
    box: tuple[int, int, int, int], shape: tuple[int, int], size: tuple[int, int]
) -> None:
    left, top, width, height = box
    first = finds((0.5, [left, top, left + width, top + height]))
    sheets = []

    def sees_nothing(sheet: NDArray[np.uint8]) -> Candidates:
        sheets.append(sheet)
        return NOTHING

    again = look_again(np.full(size, 9, np.uint8), first, sees_nothing, shape)

    assert sheets[0].shape == shape
    assert set(np.unique(sheets[0])) <= {0, 9}
    assert again.boxes.tolist() == first.boxes.tolist()
    assert 0 < again.scores[0] < 0.5
