from __future__ import annotations

import numpy as np
import pytest

from converter.faces.matching import FALSE_ALARM, HIT, NEITHER, average_precision, match, precision_recall
from edge_runtime.decode import Candidates


def finds(*rows: tuple[float, float, float, float, float]) -> Candidates:
    table = np.array(rows, np.float32).reshape(-1, 5)
    return Candidates(table[:, :4], table[:, 4])


def test_a_face_is_hit_once_by_the_better_find() -> None:
    face = np.array([[0, 0, 10, 10]], np.float32)

    matches = match(finds((0, 0, 10, 11, 0.5), (0, 0, 10, 12, 0.9)), face, np.array([False]))

    assert matches.verdicts.tolist() == [FALSE_ALARM, HIT]
    assert matches.face_of.tolist() == [-1, 0]


def test_half_an_overlap_is_enough_and_less_is_not() -> None:
    face = np.array([[0, 0, 10, 10]], np.float32)

    verdicts = [match(finds((0, 0, 10, y, 0.9)), face, np.array([False])).verdicts[0] for y in (5.0, 4.9)]

    assert verdicts == [HIT, FALSE_ALARM]


def test_finds_on_an_ignored_face_count_nothing() -> None:
    face = np.array([[0, 0, 10, 10]], np.float32)

    matches = match(finds((0, 0, 10, 10, 0.9), (0, 0, 10, 9, 0.8)), face, np.array([True]))

    assert matches.verdicts.tolist() == [NEITHER, NEITHER]


def test_a_picture_without_faces_gives_false_alarms() -> None:
    matches = match(finds((0, 0, 10, 10, 0.9)), np.empty((0, 4), np.float32), np.empty(0, bool))

    assert matches.verdicts.tolist() == [FALSE_ALARM]


def test_average_precision_is_what_a_hand_computes() -> None:
    scores = np.array([0.9, 0.8, 0.7, 0.6], np.float32)
    verdicts = np.array([HIT, FALSE_ALARM, HIT, NEITHER])

    # Two of four faces: recall 1/4 at precision 1, then 2/4 at precision 2/3.
    assert average_precision(scores, verdicts, 4) == pytest.approx(0.25 * 1 + 0.25 * 2 / 3)
    assert precision_recall(scores, verdicts, 4)[1].tolist() == [0.25, 0.25, 0.5]


def test_without_finds_average_precision_is_nothing() -> None:
    assert average_precision(np.empty(0, np.float32), np.empty(0, np.int64), 3) == 0.0
