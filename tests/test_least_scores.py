"""From which score a find counts."""

from __future__ import annotations

import numpy as np

from edge_runtime.least_scores import LeastScores
from edge_runtime.manifest import Policy, SmallFinds


def counted(least: LeastScores, *finds: tuple[float, float]) -> list[bool]:
    """Of finds with a score and a shorter side."""
    scores, sides = np.array(finds, np.float32).T
    return [bool(each) for each in least.counted(scores, sides)]


def test_small_finds_count_from_their_own_score() -> None:
    least = LeastScores.of(Policy(enter=0.7, small=SmallFinds(below_px=28.0, enter=0.5)))

    counted = least.counted(
        np.array([0.69, 0.7, 0.5, 0.49], np.float32), np.array([28.0, 28.0, 27.9, 27.9], np.float32)
    )

    assert counted.tolist() == [False, True, True, False]
    assert least.lowest == 0.5


def test_without_a_score_for_small_finds_all_count_from_the_same() -> None:
    least = LeastScores.of(Policy(enter=0.6))

    assert least.counted(np.array([0.6, 0.59], np.float32), np.array([2.0, 200.0], np.float32)).tolist() == [
        True,
        False,
    ]
    assert least.lowest == 0.6
