"""Where crops are cut, against places computed by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.contract import (
    EMOTION_SOURCE_SIZE_PX,
    INPUT_SIZE_PX,
    KEYPOINT_NAMES,
    LEFT_EYE,
    MIRROR_ORDER,
    MOUTH_LEFT,
    MOUTH_RIGHT,
    NOSE_TIP,
    RIGHT_EYE,
)
from edge_runtime.framing import (
    EMOTION_TARGETS,
    POINTS_CENTER,
    POINTS_SIDE_PX,
    TIGHT_CENTER,
    TIGHT_SIZE_PX,
    cut_emotion_crop,
    cut_keypoint_crop,
    emotion_crop_of_points,
    face_in_search_patch,
    keypoint_crop_of_box,
    keypoint_crop_of_points,
    sample,
    search_patch_of_points,
    tight_box_of_points,
)
from edge_runtime.geometry import Box, Points, Similarity
from tests.faces import FACE_IN_CROP, points_at

places = st.tuples(st.floats(-200, 800), st.floats(-200, 800), st.floats(0.3, 8))


def anchors(points: Points) -> Points:
    """Left eye, right eye, middle of the mouth corners."""
    mouth = (points[MOUTH_LEFT] + points[MOUTH_RIGHT]) / 2
    return np.stack([points[LEFT_EYE], points[RIGHT_EYE], mouth])


def test_the_face_of_these_tests_is_framed_as_the_training_crops_are() -> None:
    low, high = FACE_IN_CROP.min(axis=0), FACE_IN_CROP.max(axis=0)

    assert tuple((low + high) / 2) == POINTS_CENTER
    assert (high - low).max() == POINTS_SIDE_PX


@given(places)
def test_a_face_falls_on_the_same_points_of_its_crop_wherever_it_is(place: tuple[float, float, float]) -> None:
    points = points_at(*place)

    in_crop = keypoint_crop_of_points(points).apply(points)

    assert np.abs(in_crop - FACE_IN_CROP).max() < 0.02


@given(places, st.floats(-1.5, 1.5))
def test_a_tilted_face_is_upright_in_its_crop(place: tuple[float, float, float], roll: float) -> None:
    x, y, scale = place
    points = Similarity(scale * math.cos(roll), scale * math.sin(roll), x, y).apply(FACE_IN_CROP)

    in_crop = keypoint_crop_of_points(points).apply(points)

    assert np.abs(in_crop - FACE_IN_CROP).max() < 0.05


@given(places, st.floats(-1.5, 1.5))
def test_a_detector_should_find_a_tracked_face_at_one_place_of_the_search_patch(
    place: tuple[float, float, float], roll: float
) -> None:
    x, y, scale = place
    points = Similarity(scale * math.cos(roll), scale * math.sin(roll), x, y).apply(FACE_IN_CROP)

    in_patch = search_patch_of_points(points).apply(points)

    # The crop at 3/4 of its size in the middle of 160 pixels: 72 wide, so it begins at 44.
    assert np.abs(in_patch - (FACE_IN_CROP * 0.75 + 44)).max() < 0.05
    box = face_in_search_patch()
    assert (box.width, box.height) == pytest.approx((81 * 0.75, 108 * 0.75))
    assert box.center == pytest.approx((48 * 0.75 + 44, 48.8 * 0.75 + 44))


@pytest.mark.parametrize(
    ("box", "scale"),
    [
        (Box(0, 0, 81, 108), 1.0),
        (Box(300, 200, 462, 416), 0.5),
        (Box(10, 20, 10 + 108, 20 + 81), 1.0),  # another form of the same area
        (Box(10, 20, 10 + 40.5, 20 + 54), 2.0),
    ],
)
def test_a_tight_box_falls_on_its_place_in_the_crop(box: Box, scale: float) -> None:
    to_crop = keypoint_crop_of_box(box)

    (center,) = to_crop.apply(np.array([box.center], np.float32))

    assert TIGHT_SIZE_PX == (81.0, 108.0)
    assert to_crop.scale == pytest.approx(scale)
    assert to_crop.b == 0
    assert center.tolist() == pytest.approx(TIGHT_CENTER, abs=1e-3)


def test_the_tight_box_of_a_face_by_hand() -> None:
    box = tight_box_of_points(points_at(100, 200, scale=2))

    # (48 - 40.5, 48.8 - 54) and (48 + 40.5, 48.8 + 54) in the crop, times 2, plus (100, 200).
    assert (box.x0, box.y0, box.x1, box.y1) == pytest.approx((115, 189.6, 277, 405.6), abs=1e-3)


@pytest.mark.parametrize(("roll", "moved"), [(0.0, -14.0), (math.pi / 3, -7.0)])
def test_the_tight_box_of_a_turned_head_lies_to_the_other_side_than_its_nose(roll: float, moved: float) -> None:
    to_frame = Similarity(2 * math.cos(roll), 2 * math.sin(roll), 300, 200)
    turned = FACE_IN_CROP.copy()
    turned[NOSE_TIP, 0] += 10

    ahead, aside = (tight_box_of_points(to_frame.apply(face)) for face in (FACE_IN_CROP, turned))

    # Seven tenths of ten, times two; of a tilted head as much less as the picture's x is of the face's.
    assert aside.x0 - ahead.x0 == pytest.approx(moved, abs=1e-3)
    assert (aside.y0, aside.width, aside.height) == pytest.approx((ahead.y0, ahead.width, ahead.height), abs=1e-3)


@given(places)
def test_box_and_points_of_a_face_give_the_same_crop(place: tuple[float, float, float]) -> None:
    points = points_at(*place)

    by_box, by_points = keypoint_crop_of_box(tight_box_of_points(points)), keypoint_crop_of_points(points)

    assert np.abs(by_box.apply(points) - by_points.apply(points)).max() < 0.05


def test_an_empty_box_still_gives_a_finite_crop() -> None:
    assert np.isfinite(keypoint_crop_of_box(Box(5, 5, 5, 5)).matrix).all()
    assert np.isfinite(keypoint_crop_of_points(np.full((15, 2), 7, np.float32)).matrix).all()
    assert np.isfinite(emotion_crop_of_points(np.full((15, 2), 7, np.float32)).matrix).all()


def test_eyes_and_mouth_fall_on_their_targets() -> None:
    # A face of exactly the targets' form, turned by 30 degrees, 3 times as large, anywhere in the frame.
    turned = Similarity(3 * math.cos(math.pi / 6), 3 * math.sin(math.pi / 6), 250, 120)
    left, right, mouth = turned.apply(np.array(EMOTION_TARGETS, np.float32))
    points = np.zeros((15, 2), np.float32)
    points[LEFT_EYE], points[RIGHT_EYE] = left, right
    points[MOUTH_LEFT], points[MOUTH_RIGHT] = mouth + 5, mouth - 5

    found = emotion_crop_of_points(points).apply(anchors(points))

    assert np.abs(found - EMOTION_TARGETS).max() < 0.01
    assert emotion_crop_of_points(points).scale == pytest.approx(1 / 3, abs=1e-4)


@given(places, st.floats(-0.7, 0.7))
def test_roll_scale_and_place_of_a_face_do_not_show_in_its_emotion_crop(
    place: tuple[float, float, float], roll: float
) -> None:
    x, y, scale = place
    moved = Similarity(scale * math.cos(roll), scale * math.sin(roll), x, y).apply(FACE_IN_CROP)

    in_crop = emotion_crop_of_points(moved).apply(moved)

    assert np.abs(in_crop - emotion_crop_of_points(FACE_IN_CROP).apply(FACE_IN_CROP)).max() < 0.02


@pytest.mark.parametrize("name", [name for name in KEYPOINT_NAMES if "lip" in name or "brow" in name or "nose" in name])
def test_points_that_move_with_the_expression_do_not_move_the_emotion_crop(name: str) -> None:
    moved = FACE_IN_CROP.copy()
    moved[KEYPOINT_NAMES.index(name)] += 9

    assert emotion_crop_of_points(moved) == emotion_crop_of_points(FACE_IN_CROP)


def test_emotion_targets_are_an_upright_face_in_the_middle_but_for_the_side_that_labels_lie_to() -> None:
    (left, eyes_y), (right, other_y), (mouth, _) = EMOTION_TARGETS
    middle = (EMOTION_SOURCE_SIZE_PX - 1) / 2

    assert eyes_y == other_y
    assert 0 <= (left + right) / 2 - middle < 0.75
    assert 0 <= mouth - middle < 0.75


def test_mirroring_swaps_the_sides_by_name() -> None:
    swapped = [KEYPOINT_NAMES[row] for row in MIRROR_ORDER]
    sides = {"left": "right", "right": "left"}

    assert swapped == ["_".join(sides.get(word, word) for word in name.split("_")) for name in KEYPOINT_NAMES]


def test_a_picture_sampled_as_it_is_stays_as_it_is() -> None:
    picture = np.arange(96 * 96, dtype=np.uint32).reshape(96, 96).astype(np.uint8)

    assert np.array_equal(cut_keypoint_crop(picture, Similarity(1, 0, 0, 0)), picture)


def test_crops_have_their_sizes() -> None:
    picture = np.zeros((480, 640), np.uint8)

    assert cut_keypoint_crop(picture, Similarity(0.3, 0.1, 5, 5)).shape == (INPUT_SIZE_PX, INPUT_SIZE_PX)
    assert cut_emotion_crop(picture, Similarity(3, 0, 5, 5)).shape == (EMOTION_SOURCE_SIZE_PX, EMOTION_SOURCE_SIZE_PX)


def test_what_lies_outside_the_frame_repeats_its_border() -> None:
    picture = np.array([[10, 20], [30, 40]], np.uint8)

    crop = sample(picture, Similarity(1, 0, 1, 1), 4)

    assert crop.tolist() == [[10, 10, 20, 20], [10, 10, 20, 20], [30, 30, 40, 40], [30, 30, 40, 40]]


def test_a_crop_at_half_size_averages_two_by_two_pixels() -> None:
    picture = np.random.default_rng(1).integers(0, 256, (64, 64)).astype(np.uint8)
    half = Similarity(0.5, 0, -0.25, -0.25)  # pixel centres: (x + 0.5) / 2 - 0.5

    crop = sample(picture, half, 32)

    means = picture.reshape(32, 2, 32, 2).mean(axis=(1, 3))
    assert np.abs(crop - means).max() <= 0.5


@pytest.mark.parametrize("scale", [3.0, 1.3, 0.7, 0.5, 0.34, 0.2, 0.11])
def test_a_crop_shows_what_lies_at_the_place_it_maps_to(scale: float) -> None:
    ramp = np.tile(np.arange(240, dtype=np.uint8), (240, 1))  # grey level = x
    to_crop = Similarity(scale, 0.0, 24 - 120 * scale, 24 - 120 * scale)

    crop = sample(ramp, to_crop, 48).astype(float)

    places = to_crop.inverse().apply(np.stack([np.arange(48), np.full(48, 24)], axis=1).astype(np.float32))[:, 0]
    inside = (places > 2 / scale) & (places < 239 - 2 / scale)
    assert inside.sum() > 10
    # Half a grey level of rounding each in warping and averaging, and the warp's own steps of 1/32 pixel.
    assert np.abs(crop[24] - places)[inside].max() <= 1.0 + 1 / 16


def test_stripes_too_fine_for_a_crop_become_grey() -> None:
    stripes = np.tile(np.array([0, 255], np.uint8), (480, 320))

    crop = sample(stripes, Similarity(0.1, 0, -0.45, -0.45), 48)  # ten pixels to one

    assert set(np.unique(crop).tolist()) <= {127, 128}


@pytest.mark.parametrize("scale", [1e-6, 0.0])
def test_a_crop_of_no_scale_costs_no_more_than_the_frame(scale: float) -> None:
    crop = sample(np.full((480, 640), 9, np.uint8), Similarity(scale, 0, 0, 0), 96)

    assert np.unique(crop).tolist() == [9]
