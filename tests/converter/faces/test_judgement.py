"""The score from which a find counts."""

from __future__ import annotations

import numpy as np

from converter.faces.judgement import Finds, choose_score
from converter.faces.matching import FALSE_ALARM, HIT

LARGE_PX = 28.0


def finds(*rows: tuple[float, int, float, int], empty_pictures: int, filled: float = 1.0) -> Finds:
    """Score, verdict, size and empty picture of each."""
    scores, verdicts, sizes, where = zip(*rows, strict=True)
    return Finds(
        np.array(scores, np.float32),
        np.array(verdicts),
        np.array(sizes, np.float32),
        np.full(50, 40.0, np.float32),
        np.array(where),
        empty_pictures,
        filled * empty_pictures,
    )


HITS = [(0.505 + 0.01 * index, HIT, 40.0, -1) for index in range(40)]


def test_large_finds_are_right_as_often_as_wanted() -> None:
    wrong = [(0.603, FALSE_ALARM, 40.0, -1), (0.612, FALSE_ALARM, 40.0, -1)]

    # Of 29 hits from 0.615 on none is wrong; one of 30 would be too many for 99 %.
    assert choose_score(finds(*HITS, *wrong, empty_pictures=0), LARGE_PX) == 0.62


def test_few_pictures_without_faces_show_a_large_find() -> None:
    alarms = [(0.502 + 0.1 * index, FALSE_ALARM, 40.0, index) for index in range(2)]
    many_hits = [row for row in HITS for _ in range(5)]

    strict = choose_score(finds(*many_hits, *alarms, empty_pictures=24), LARGE_PX)
    patient = choose_score(finds(*many_hits, *alarms, empty_pictures=26), LARGE_PX)

    quarter = choose_score(finds(*many_hits, *alarms, empty_pictures=26, filled=0.25), LARGE_PX)

    assert (strict, patient) == (0.61, 0.51)  # 0.02 x 24 is nearer to no picture, 0.02 x 26 to one
    assert quarter == strict  # pictures that fill a quarter of the input show a quarter of its false faces


def test_small_finds_in_pictures_without_faces_do_not_count() -> None:
    alarm = (0.9, FALSE_ALARM, 12.0, 0)

    assert choose_score(finds(*HITS, alarm, empty_pictures=10), LARGE_PX) == 0.51
