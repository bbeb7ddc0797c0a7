"""Compares found boxes with annotated ones: the same rule for validation and for scenes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from converter.faces.data import Boxes
from edge_runtime.decode import Candidates, iou_table

MIN_IOU: Final = 0.5
HIT, FALSE_ALARM, NEITHER = 1, 0, -1


@dataclass(frozen=True, eq=False)
class Matches:
    """What became of the finds and of the faces of one picture."""

    verdicts: NDArray[np.int64]
    """(finds,) HIT, FALSE_ALARM, or NEITHER for a find on an ignored face."""

    face_of: NDArray[np.int64]
    """(finds,) row of the face that was hit, else -1."""


def match(found: Candidates, faces: Boxes, ignored: NDArray[np.bool_]) -> Matches:
    """Give every find, best first, the free face that it overlaps most (IoU at least 0.5).

    A find that has no face left but lies on an ignored one counts nothing; several may lie on the same ignored one.
    """
    verdicts = np.full(len(found.scores), FALSE_ALARM, np.int64)
    face_of = np.full(len(found.scores), -1, np.int64)
    overlaps = iou_table(found.boxes, faces)
    free = ~ignored
    for index in np.argsort(-found.scores, kind="stable"):
        candidates = np.where(free & (overlaps[index] >= MIN_IOU), overlaps[index], -1.0)
        if candidates.size and candidates.max() >= MIN_IOU:
            face = int(candidates.argmax())
            free[face] = False
            verdicts[index], face_of[index] = HIT, face
        elif np.any(overlaps[index][ignored] >= MIN_IOU):
            verdicts[index] = NEITHER
    return Matches(verdicts, face_of)


def average_precision(scores: NDArray[np.float32], verdicts: NDArray[np.int64], faces: int) -> float:
    """Area under precision over recall, every precision raised to the best one at a larger recall."""
    recall, precision = precision_recall(scores, verdicts, faces)[1:]
    best = np.maximum.accumulate(precision[::-1])[::-1]
    return float(np.sum(np.diff(recall, prepend=0.0) * best))


def precision_recall(
    scores: NDArray[np.float32], verdicts: NDArray[np.int64], faces: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Scores that count, best first, with recall and precision of all finds down to each."""
    counted = verdicts != NEITHER
    order = np.argsort(-scores[counted], kind="stable")
    hits = np.cumsum(verdicts[counted][order] == HIT)
    return (
        scores[counted][order].astype(np.float64),
        hits / max(faces, 1),
        hits / np.arange(1, len(hits) + 1),
    )
