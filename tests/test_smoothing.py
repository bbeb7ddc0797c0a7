"""Averages over source time against numbers computed by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.smoothing import PointSmoother, ScoreSmoother, blend_share
from tests.faces import FACE_IN_CROP

EYE_DISTANCE_PX = 36.0
HALF_LIFE = math.log(2)


@pytest.mark.parametrize(
    ("elapsed_s", "window_s", "share"),
    [
        (HALF_LIFE, 1.0, 0.5),
        (2 * HALF_LIFE, 1.0, 0.75),
        (HALF_LIFE * 0.2, 0.2, 0.5),
        (1.0, 0.0, 1.0),
        (0.0, 1.0, 0.0),
        (-5.0, 1.0, 0.0),
    ],
)
def test_the_new_values_share_grows_with_the_time_since_the_last(
    elapsed_s: float, window_s: float, share: float
) -> None:
    assert blend_share(elapsed_s, window_s) == pytest.approx(share)


def test_the_first_scores_are_taken_as_they_are() -> None:
    shares, supports = np.array([0.1, 0.2, 0.3, 0.4, 0.0]), np.array([0.1, 0.1, 0.1, 0.3, 0.0])

    found = ScoreSmoother(0.5).update(shares, supports, 3.0)

    assert found[0].tolist() == shares.tolist()
    assert found[1].tolist() == supports.tolist()


def test_after_a_half_life_old_and_new_scores_count_the_same() -> None:
    smoother = ScoreSmoother(0.5)
    smoother.update(np.array([1.0, 0, 0, 0, 0]), np.array([0.8, 0, 0, 0, 0]), 10.0)

    shares, supports = smoother.update(np.array([0, 1.0, 0, 0, 0]), np.array([0, 0.4, 0, 0, 0]), 10.0 + 0.5 * HALF_LIFE)

    assert shares == pytest.approx([0.5, 0.5, 0, 0, 0])
    assert supports == pytest.approx([0.4, 0.2, 0, 0, 0])


def test_the_average_does_not_depend_on_the_frame_rate() -> None:
    slow, fast = ScoreSmoother(0.5), ScoreSmoother(0.5)
    old, new = np.array([1.0, 0, 0, 0, 0]), np.array([0, 0, 1.0, 0, 0])
    for smoother in (slow, fast):
        smoother.update(old, old, 0.0)

    for step in range(1, 31):
        fast_shares, _ = fast.update(new, new, step / 30)
    slow_shares, _ = slow.update(new, new, 1.0)

    assert fast_shares == pytest.approx(slow_shares)


@given(st.lists(st.tuples(st.floats(0, 2), st.integers(0, 4)), min_size=1, max_size=20), st.floats(0, 3))
def test_smoothed_shares_still_sum_to_one(steps: list[tuple[float, int]], window_s: float) -> None:
    smoother, now = ScoreSmoother(window_s), 0.0

    for elapsed, label in steps:
        now += elapsed
        given_shares = np.eye(5)[label] * 0.6 + 0.08
        shares, _ = smoother.update(given_shares, given_shares, now)

    assert float(shares.sum()) == pytest.approx(1.0)
    assert float(shares.min()) >= 0


def test_the_first_points_are_taken_as_they_are() -> None:
    assert PointSmoother(0.1).update(FACE_IN_CROP, 5.0) is FACE_IN_CROP


def test_jitter_of_a_still_face_is_averaged_over_the_window() -> None:
    smoother = PointSmoother(0.1)
    smoother.update(FACE_IN_CROP, 0.0)
    jitter = np.zeros((15, 2), np.float32)
    jitter[10], jitter[13] = (0, 2), (0, -2)  # nose and lip, against each other: the face as a whole is still

    found = smoother.update(FACE_IN_CROP + jitter, 0.1 * HALF_LIFE)

    assert np.abs(found - (FACE_IN_CROP + jitter / 2)).max() < 1e-4


def test_a_moving_face_is_smoothed_less() -> None:
    # 1.8 px in 0.1 s are 0.5 eye distances per second: the window is half as long.
    smoother = PointSmoother(0.2)
    smoother.update(FACE_IN_CROP, 0.0)
    moved = FACE_IN_CROP + np.array([EYE_DISTANCE_PX * 0.5 * 0.1, 0], np.float32)

    found = smoother.update(moved, 0.1)

    share = 1 - math.exp(-0.1 / 0.1)
    assert np.abs(found - (FACE_IN_CROP + share * (moved - FACE_IN_CROP))).max() < 1e-3


def test_a_fast_face_is_followed_at_once() -> None:
    smoother = PointSmoother(0.08)
    smoother.update(FACE_IN_CROP, 0.0)
    moved = FACE_IN_CROP + np.array([4 * EYE_DISTANCE_PX, 0], np.float32)

    found = smoother.update(moved, 1 / 25)

    assert np.abs(found - moved).max() < 0.01 * EYE_DISTANCE_PX


def test_without_a_window_points_are_the_raw_ones() -> None:
    smoother = PointSmoother(0.0)
    smoother.update(FACE_IN_CROP, 0.0)

    assert smoother.update(FACE_IN_CROP + 1, 0.04).tolist() == (FACE_IN_CROP + 1).tolist()


@given(st.lists(st.floats(-20, 20, width=32), min_size=2, max_size=20), st.floats(0.001, 1))
def test_smoothed_points_stay_between_the_raw_ones(offsets: list[float], window_s: float) -> None:
    smoother = PointSmoother(window_s)

    for step, offset in enumerate(offsets):
        found = smoother.update(FACE_IN_CROP + np.float32(offset), step / 25)

    assert (found >= FACE_IN_CROP + min(offsets) - 1e-3).all()
    assert (found <= FACE_IN_CROP + max(offsets) + 1e-3).all()
    assert found.dtype == np.float32


def test_smoothing_does_not_write_into_the_points_it_was_given() -> None:
    raw = FACE_IN_CROP.copy()
    smoother = PointSmoother(0.1)

    smoother.update(raw, 0.0)
    smoother.update(raw + 5, 0.1)

    assert np.array_equal(raw, FACE_IN_CROP)
