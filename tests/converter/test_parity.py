"""The gate between the float and the int8 net."""

from __future__ import annotations

import numpy as np
import pytest

from converter.errors import ParityError
from converter.parity import emotion_parity, keypoint_parity, require_parity
from edge_runtime.contract import KEYPOINT_COUNT

LABELS = np.arange(1000) % 5
RIGHT = np.eye(5, dtype=np.float32)[LABELS] * 8


def with_mistakes(count: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """Answer the first faces with the next class."""
    wrong = RIGHT.copy()
    wrong[:count] = np.roll(wrong[:count], 1, axis=1)
    return wrong


def test_one_mistake_in_a_hundred_passes() -> None:
    figures = emotion_parity(RIGHT, with_mistakes(10), LABELS, 1.0)

    require_parity(figures)
    assert figures["top1_agreement"] == pytest.approx(0.99)


def test_more_mistakes_do_not_pass() -> None:
    figures = emotion_parity(RIGHT, with_mistakes(11), LABELS, 1.0)

    with pytest.raises(ParityError, match=r"ratio 0\.9890, expected at least 0\.99"):
        require_parity(figures)


@pytest.mark.parametrize(("growth", "passes"), [(1.009, True), (1.011, False)])
def test_points_may_be_worse_by_one_percent(growth: float, *, passes: bool) -> None:
    truth = np.zeros((10, KEYPOINT_COUNT, 2), np.float32)
    truth[0, 10] = np.nan

    figures = keypoint_parity(truth * 0 + 2, np.float32(2 * growth) + truth * 0, truth)

    assert figures["passed"] is passes


def test_a_failed_gate_ends_with_exit_code_7() -> None:
    assert ParityError("far").exit_code == 7


def test_a_float_net_that_is_never_right_does_not_pass() -> None:
    figures = emotion_parity(with_mistakes(1000), RIGHT, LABELS, 1.0)

    assert np.isnan(figures["accuracy_ratio"])
    with pytest.raises(ParityError, match="the float net is right on none of 1000 faces"):
        require_parity(figures)
