"""Boxes and similarities against numbers computed by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from edge_runtime.geometry import Box, Similarity, coverage, fit_similarity, iou

coordinates = st.floats(-1000, 1000, width=32)
boxes = st.builds(
    lambda x, y, width, height: Box(x, y, x + width, y + height),
    coordinates,
    coordinates,
    st.floats(0.5, 500),
    st.floats(0.5, 500),
)
similarities = st.builds(
    lambda scale, angle, tx, ty: Similarity(scale * float(np.cos(angle)), scale * float(np.sin(angle)), tx, ty),
    st.floats(0.05, 20),
    st.floats(-3.1, 3.1),
    coordinates,
    coordinates,
)


def test_a_box_knows_its_measures() -> None:
    box = Box(10, 20, 40, 60)

    assert (box.width, box.height, box.area, box.center) == (30, 40, 1200, (25, 40))


def test_an_empty_box_has_no_area() -> None:
    assert Box(5, 5, 5, 9).area == 0
    assert Box(9, 9, 5, 5).area == 0


@pytest.mark.parametrize(
    ("box", "clipped"),
    [
        (Box(-5, -6, 20, 30), Box(0, 0, 20, 30)),
        (Box(90, 40, 120, 80), Box(90, 40, 100, 50)),
        (Box(10, 10, 20, 20), Box(10, 10, 20, 20)),
    ],
)
def test_a_box_is_cut_at_the_pictures_border(box: Box, clipped: Box) -> None:
    assert box.clipped(100, 50) == clipped


def test_a_box_grows_with_its_picture() -> None:
    assert Box(1, 2, 3, 4).scaled(2.5) == Box(2.5, 5, 7.5, 10)


@pytest.mark.parametrize(
    ("other", "overlap"),
    [
        (Box(0, 0, 10, 10), 1.0),
        (Box(5, 0, 15, 10), 50 / 150),
        (Box(5, 5, 15, 15), 25 / 175),
        (Box(0, 0, 5, 5), 25 / 100),
        (Box(10, 0, 20, 10), 0.0),
        (Box(30, 30, 40, 40), 0.0),
    ],
)
def test_overlap_of_two_boxes(other: Box, overlap: float) -> None:
    assert iou(Box(0, 0, 10, 10), other) == pytest.approx(overlap)


@pytest.mark.parametrize(
    ("other", "covered"),
    [
        (Box(2, 2, 4, 4), 1.0),
        (Box(-5, -5, 15, 15), 1.0),
        (Box(5, 0, 15, 10), 0.5),
        (Box(8, 0, 12, 5), 0.5),
        (Box(10, 0, 20, 10), 0.0),
        (Box(5, 5, 5, 9), 0.0),
    ],
)
def test_the_share_of_the_smaller_box_that_is_covered(other: Box, covered: float) -> None:
    assert coverage(Box(0, 0, 10, 10), other) == pytest.approx(covered)
    assert coverage(other, Box(0, 0, 10, 10)) == pytest.approx(covered)


@given(boxes, boxes)
def test_overlap_is_a_share_and_the_same_both_ways(a: Box, b: Box) -> None:
    assert 0.0 <= iou(a, b) <= 1.0 + 1e-9
    assert iou(a, b) == pytest.approx(iou(b, a))
    assert iou(a, a) == pytest.approx(1.0)


@given(boxes, st.floats(0.1, 10))
def test_a_scaled_box_scales_back(box: Box, factor: float) -> None:
    back = box.scaled(factor).scaled(1 / factor)

    assert (back.x0, back.y0, back.x1, back.y1) == pytest.approx((box.x0, box.y0, box.x1, box.y1), abs=1e-6)


def test_a_similarity_maps_as_its_numbers_say() -> None:
    quarter_turn = Similarity(a=0, b=2, tx=10, ty=20)  # (x, y) -> (-2 y + 10, 2 x + 20)

    found = quarter_turn.apply(np.array([[1, 0], [0, 1], [3, 4]], np.float32))

    assert found.tolist() == [[10, 22], [8, 20], [2, 26]]
    assert quarter_turn.point(3, 4) == (2, 26)
    assert quarter_turn.scale == 2
    assert quarter_turn.matrix.tolist() == [[0, -2, 10], [2, 0, 20]]


def test_a_missing_point_stays_missing() -> None:
    found = Similarity(1, 0, 5, 5).apply(np.array([[np.nan, np.nan], [1, 1]], np.float32))

    assert np.isnan(found[0]).all()
    assert found[1].tolist() == [6, 6]


def test_the_inverse_of_a_similarity_by_hand() -> None:
    assert Similarity(a=2, b=0, tx=10, ty=20).inverse() == Similarity(a=0.5, b=0, tx=-5, ty=-10)


@given(similarities, st.lists(st.tuples(coordinates, coordinates), min_size=1, max_size=5))
def test_the_inverse_of_a_similarity_maps_back(there: Similarity, listed: list[tuple[float, float]]) -> None:
    points = np.array(listed, np.float32)

    back = there.inverse().apply(there.apply(points))

    # float32 keeps 24 bits of the mapped coordinates, and the way back divides their error by the scale.
    reach = there.scale * 2000 + 2000
    assert np.abs(back - points).max() <= 4 * reach * 2**-23 / min(there.scale, 1.0)


@given(similarities)
def test_a_similarity_is_found_again_from_points_and_their_images(there: Similarity) -> None:
    source = np.array([[0, 0], [60, 0], [30, 80]], np.float32)

    found = fit_similarity(source.tolist(), there.apply(source).tolist())

    assert (found.a, found.b) == pytest.approx((there.a, there.b), abs=1e-3)
    assert (found.tx, found.ty) == pytest.approx((there.tx, there.ty), abs=5e-2)


def test_a_fit_of_points_that_do_not_match_is_the_least_squares_one() -> None:
    # Two points 2 apart onto two points 4 apart, and a third in the middle that is pulled up by 3:
    # the scale is 2, the roll 0, and everything rises by 3 / 3.
    source = np.array([[-1, 0], [1, 0], [0, 0]], np.float32)
    target = np.array([[-2, 0], [2, 0], [0, 3]], np.float32)

    found = fit_similarity(source.tolist(), target.tolist())

    assert (found.a, found.b, found.tx, found.ty) == pytest.approx((2, 0, 0, 1))


def test_points_in_one_place_can_only_be_shifted() -> None:
    source, target = np.full((3, 2), 5, np.float32), np.full((3, 2), 8, np.float32)

    assert fit_similarity(source.tolist(), target.tolist()) == Similarity(1, 0, 3, 3)


@given(similarities, st.floats(1, 100))
def test_a_fit_never_mirrors(there: Similarity, height: float) -> None:
    source = np.array([[0, 0], [10, 0], [5, height]], np.float32)
    mirrored = there.apply(source * np.array([-1, 1], np.float32))

    found = fit_similarity(source.tolist(), mirrored.tolist())

    assume(found.scale > 1e-6)
    assert np.linalg.det(found.matrix[:, :2]) > 0
