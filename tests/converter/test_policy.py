"""Choice of temperature and thresholds."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from converter.figures import emotion_figures
from converter.policy import ANSWERED_SHARE, choose_policy, fit_temperature
from edge_runtime.contract import EMOTION_LABELS


def drawn_faces(count: int, *, sharpness: float) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Draw labels from the softmax of logits, then scale the logits: the right temperature is the scale."""
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (count, 7))
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = (shares.cumsum(axis=1) < rng.random((count, 1))).sum(axis=1)
    return (logits * sharpness).astype(np.float32), labels.astype(np.int64)


@pytest.mark.parametrize("sharpness", [0.5, 1.0, 3.0])
def test_the_temperature_undoes_how_sharp_the_logits_are(sharpness: float) -> None:
    logits, labels = drawn_faces(4000, sharpness=sharpness)

    assert fit_temperature(logits, labels) == pytest.approx(sharpness, rel=0.1)


def test_enough_faces_are_answered_and_fewer_of_the_others() -> None:
    logits, labels = drawn_faces(4000, sharpness=1.0)

    policy = choose_policy(logits, labels)
    figures = emotion_figures(logits, labels, policy)

    assert figures["coverage"] >= ANSWERED_SHARE
    assert figures["coverage"] == pytest.approx(ANSWERED_SHARE, abs=0.01)
    assert figures["uncertain_neutral"] > 2 * (1 - figures["coverage"])
    assert figures["accuracy_answered"] > figures["accuracy"]
    assert policy.exit < policy.enter


def test_a_net_without_none_outputs_has_a_policy_too() -> None:
    logits, labels = drawn_faces(1000, sharpness=1.0)
    five = logits[:, : len(EMOTION_LABELS)]

    policy = choose_policy(five, labels)

    assert 0 < policy.exit < policy.enter < 1
