"""The score from which a find counts."""

from __future__ import annotations

import numpy as np

from converter.faces.judgement import Finds, choose_score
from converter.faces.matching import FALSE_ALARM, HIT

LARGE_PX = 28.0


def finds(*rows: tuple[float, int, float]) -> Finds:
    """Score, verdict and size of each."""
    scores, verdicts, sizes = zip(*rows, strict=True)
    faces = np.full(50, 40.0, np.float32)
    return Finds(np.array(scores, np.float32), np.array(verdicts), np.array(sizes, np.float32), faces)


HITS = [(0.505 + 0.01 * index, HIT, 40.0) for index in range(40)]


def test_large_finds_are_right_as_often_as_wanted() -> None:
    wrong = [(0.603, FALSE_ALARM, 40.0), (0.612, FALSE_ALARM, 40.0)]

    # Of 29 hits from 0.615 on none is wrong; one of 30 would be too many for 97 %.
    assert choose_score(finds(*HITS, *wrong), LARGE_PX) == 0.62


def test_small_finds_do_not_count() -> None:
    assert choose_score(finds(*HITS, (0.9, FALSE_ALARM, 12.0)), LARGE_PX) == 0.51
