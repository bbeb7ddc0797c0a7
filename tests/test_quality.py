"""Whether a crop can be answered, against measures computed by hand."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.contract import KEYPOINT_NAMES, LEFT_EYE, RIGHT_EYE
from edge_runtime.geometry import Points, Similarity
from edge_runtime.quality import doubt, sharpness, yaw_share
from edge_runtime.settings import Policy
from tests.faces import FACE_IN_CROP

NOSE = KEYPOINT_NAMES.index("nose_tip")
SHARP = np.random.default_rng(3).integers(0, 256, (48, 48)).astype(np.uint8)
FLAT = np.full((48, 48), 90, np.uint8)


def with_nose_at(share: float) -> Points:
    """Move the nose: 0 = below the right eye, 1 = below the left eye."""
    points = FACE_IN_CROP.copy()
    points[NOSE, 0] = points[RIGHT_EYE, 0] + share * (points[LEFT_EYE, 0] - points[RIGHT_EYE, 0])
    return points


def test_a_flat_crop_has_no_edges() -> None:
    assert sharpness(FLAT) == 0


@pytest.mark.parametrize("slope", [1, 3, 5])
def test_a_ramp_is_as_sharp_as_its_slope(slope: int) -> None:
    ramp = np.tile((np.arange(48) * slope).astype(np.uint8), (48, 1))

    # The gradient at the first and the last column is 0: the picture is mirrored there.
    assert sharpness(ramp) == pytest.approx(slope * 46 / 48)
    assert sharpness(ramp.T.copy()) == pytest.approx(slope * 46 / 48)


def test_blurring_takes_sharpness_away() -> None:
    levels = [sharpness(np.asarray(cv2.GaussianBlur(SHARP, (0, 0), sigma), np.uint8)) for sigma in (0.5, 1.0, 2.0, 4.0)]

    assert levels == sorted(levels, reverse=True)
    assert levels[0] > 4 * levels[-1]


@pytest.mark.parametrize(
    ("share", "yaw"), [(0.5, 0), (0.75, 0.5), (0.25, 0.5), (1.0, 1.0), (0.0, 1.0), (1.4, 1.0), (-0.4, 1.0)]
)
def test_yaw_is_how_far_the_nose_is_from_the_middle_of_the_eyes(share: float, yaw: float) -> None:
    assert yaw_share(with_nose_at(share)) == pytest.approx(yaw)


@given(st.floats(0, 1), st.floats(0.2, 9), st.floats(-3, 3))
def test_yaw_does_not_depend_on_roll_and_size(share: float, scale: float, roll: float) -> None:
    turned = Similarity(scale * float(np.cos(roll)), scale * float(np.sin(roll)), 50, 60)

    assert yaw_share(turned.apply(with_nose_at(share))) == pytest.approx(abs(2 * share - 1), abs=1e-3)


def test_eyes_in_one_place_are_a_head_turned_away() -> None:
    assert yaw_share(np.zeros((15, 2), np.float32)) == 1.0


def test_a_large_sharp_frontal_face_is_not_doubted() -> None:
    assert doubt(SHARP, FACE_IN_CROP, 100, Policy()) is None


def test_a_small_face_is_doubted_below_the_least_size() -> None:
    policy = Policy(min_face_px=32)

    assert doubt(SHARP, FACE_IN_CROP, 31.9, policy) == "small_face"
    assert doubt(SHARP, FACE_IN_CROP, 32, policy) is None


def test_a_turned_head_is_doubted_above_the_largest_yaw() -> None:
    policy = Policy(max_yaw=0.6)

    assert doubt(SHARP, with_nose_at(0.81), 100, policy) == "pose"
    assert doubt(SHARP, with_nose_at(0.79), 100, policy) is None


def test_a_blurred_crop_is_doubted_below_the_least_sharpness() -> None:
    ramp = np.tile((np.arange(48) * 3).astype(np.uint8), (48, 1))  # 2.875 grey levels per pixel

    assert doubt(ramp, FACE_IN_CROP, 100, Policy(min_sharpness=2.9)) == "blurred"
    assert doubt(ramp, FACE_IN_CROP, 100, Policy(min_sharpness=2.8)) is None


def test_the_first_reason_is_the_one_that_is_told() -> None:
    policy = Policy(min_face_px=32, max_yaw=0.5, min_sharpness=5)

    assert doubt(FLAT, with_nose_at(1), 10, policy) == "small_face"
    assert doubt(FLAT, with_nose_at(1), 100, policy) == "pose"
    assert doubt(FLAT, FACE_IN_CROP, 100, policy) == "blurred"
