"""The scores from which finds count."""

from __future__ import annotations

import numpy as np

from converter.faces.judgement import Finds, choose_scores
from converter.faces.matching import FALSE_ALARM, HIT
from edge_runtime.least_scores import LeastScores

LARGE_PX = 28.0


def finds(*rows: tuple[float, int, float, int], empty_pictures: int, filled: float = 1.0) -> Finds:
    """Score, verdict, size and empty picture of each."""
    scores, verdicts, sizes, where = zip(*rows, strict=True)
    return Finds(
        np.array(scores, np.float32),
        np.array(verdicts),
        np.array(sizes, np.float32),
        np.array(sizes, np.float32),
        np.full(50, 40.0, np.float32),
        np.array(where),
        empty_pictures,
        filled * empty_pictures,
    )


HITS = [(0.505 + 0.01 * index, HIT, 40.0, -1) for index in range(40)]


def test_large_finds_are_right_as_often_as_wanted() -> None:
    wrong = [(0.603, FALSE_ALARM, 40.0, -1), (0.612, FALSE_ALARM, 40.0, -1)]

    # Of 29 hits from 0.615 on none is wrong; one of 31 would be too many for 98.5 %.
    assert choose_scores(finds(*HITS, *wrong, empty_pictures=0), LARGE_PX).large == 0.62


def test_few_pictures_without_faces_show_a_large_find() -> None:
    alarms = [(0.502 + 0.1 * index, FALSE_ALARM, 40.0, index) for index in range(2)]
    many_hits = [row for row in HITS for _ in range(5)]

    strict = choose_scores(finds(*many_hits, *alarms, empty_pictures=24), LARGE_PX).large
    patient = choose_scores(finds(*many_hits, *alarms, empty_pictures=26), LARGE_PX).large

    quarter = choose_scores(finds(*many_hits, *alarms, empty_pictures=26, filled=0.25), LARGE_PX).large

    assert (strict, patient) == (0.61, 0.51)  # 0.02 x 24 is nearer to no picture, 0.02 x 26 to one
    assert quarter == strict  # pictures that fill a quarter of the input show a quarter of its false faces


def test_small_finds_in_pictures_without_faces_leave_large_ones_alone() -> None:
    alarm = (0.9, FALSE_ALARM, 12.0, 0)

    assert choose_scores(finds(*HITS, alarm, empty_pictures=10), LARGE_PX).large == 0.51


SMALL_HITS = [(score, verdict, 12.0, place) for score, verdict, _, place in HITS]


def test_small_finds_may_be_wrong_more_often() -> None:
    hits = [(0.805 + 0.001 * index, HIT, 40.0, -1) for index in range(40)]
    wrong = [(0.5975 + 0.001 * index, FALSE_ALARM, 12.0, -1) for index in range(6)]

    least = choose_scores(finds(*hits, *SMALL_HITS, *wrong, empty_pictures=0), LARGE_PX)

    # Of 33 from 0.6005 on three are wrong, of 34 four would be: too many for 90 %.
    assert least == LeastScores(large=0.81, small=0.61, small_below_px=LARGE_PX)


def test_pictures_without_faces_show_small_finds_more_often_than_large_ones() -> None:
    many_hits = [row for row in SMALL_HITS for _ in range(20)]
    alarms = [(0.602 + 0.1 * index, FALSE_ALARM, 12.0, index) for index in range(3)]

    found = [choose_scores(finds(*many_hits, *alarms, empty_pictures=count), LARGE_PX).small for count in (24, 41, 60)]

    assert found == [0.71, 0.61, 0.51]  # one, two and three pictures may


def test_small_finds_need_no_higher_score_than_large_ones() -> None:
    alarm = (0.9, FALSE_ALARM, 12.0, 0)

    assert choose_scores(finds(*HITS, alarm, empty_pictures=10), LARGE_PX).small == 0.51
