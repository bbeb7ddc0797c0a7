from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="the trainer needs TensorFlow")

from converter.faces.loss import faces_loss
from converter.faces.net import STRIDES
from converter.faces.targets import cell_targets
from converter.recipe import Detection
from edge_runtime.decode import Level, cell_middle, decode

SIDE = 64
FACE = np.array([[18, 14, 40, 42]], np.float32)

Answers = list[np.ndarray[tuple[int, ...], np.dtype[np.float32]]]


def targets(*, ignored: bool = False) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return cell_targets(FACE, np.array([ignored]), SIDE, Detection())[np.newaxis]


def answers(*, logit_on_face: float, logit_elsewhere: float, shift: float = 0.0) -> Answers:
    """Answer with the true box in all cells from which it can be told, moved by `shift` in logarithms."""
    made: Answers = []
    states = targets()[0, :, 0]
    start = 0
    for stride in STRIDES:
        count = SIDE // stride
        x, y = np.meshgrid(*[cell_middle(np.arange(count), stride)] * 2)
        x0, y0, x1, y1 = FACE[0]
        distances = np.stack([x - x0, y - y0, x1 - x, y1 - y], axis=-1) / stride
        on_face = (states[start : start + count**2] > 0).reshape(count, count)
        start += count**2
        logits = np.where(on_face, logit_on_face, logit_elsewhere).astype(np.float32)
        logs = np.log(np.clip(distances, 0.01, None)) + shift
        made += [logits[np.newaxis, ..., np.newaxis], logs.astype(np.float32)[np.newaxis]]
    return made


def loss(made: Answers, *, ignored: bool = False) -> float:
    return float(faces_loss(targets(ignored=ignored), made, side=SIDE, box_weight=2.0))


def test_the_right_answer_costs_next_to_nothing() -> None:
    assert loss(answers(logit_on_face=12.0, logit_elsewhere=-12.0)) == pytest.approx(0.0, abs=1e-3)


def test_every_way_of_being_wrong_costs() -> None:
    right = loss(answers(logit_on_face=6.0, logit_elsewhere=-6.0))

    assert loss(answers(logit_on_face=-2.0, logit_elsewhere=-6.0)) > right + 0.5
    assert loss(answers(logit_on_face=6.0, logit_elsewhere=2.0)) > right + 0.5
    assert loss(answers(logit_on_face=6.0, logit_elsewhere=-6.0, shift=0.5)) > right + 0.5


def test_a_sure_score_on_a_loose_box_costs_more_than_a_modest_one() -> None:
    sure = loss(answers(logit_on_face=6.0, logit_elsewhere=-9.0, shift=0.3))
    modest = loss(answers(logit_on_face=0.4, logit_elsewhere=-9.0, shift=0.3))

    assert modest < sure


def test_an_ignored_face_teaches_nothing() -> None:
    found = loss(answers(logit_on_face=6.0, logit_elsewhere=-12.0), ignored=True)
    missed = loss(answers(logit_on_face=-12.0, logit_elsewhere=-12.0), ignored=True)

    assert found == pytest.approx(missed, abs=1e-3)


def test_training_and_the_device_read_the_same_box_from_the_same_answer() -> None:
    made = answers(logit_on_face=12.0, logit_elsewhere=-12.0)
    levels = [Level(made[i][0, ..., 0], made[i + 1][0]) for i in range(0, len(made), 2)]

    found = decode(levels, input_height=SIDE, min_score=0.5)

    assert len(found.scores) > 0
    assert found.boxes == pytest.approx(np.repeat(FACE, len(found.scores), axis=0), abs=1e-3)
