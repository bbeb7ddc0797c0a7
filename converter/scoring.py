"""How good a float net is on validation data: one figure to choose by, the others to read."""

from __future__ import annotations

import keras
import numpy as np
from numpy.typing import NDArray

from converter import metrics
from converter.batches import pixel_points
from converter.datasets.types import EmotionData, KeypointData
from edge_runtime.contract import EMOTION_LABELS
from edge_runtime.preprocess import enlarge

Scores = dict[str, float]

_BATCH = 256


def answers_of(net: keras.Model, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(N, h, w) grey faces -> (N, outputs) real net answers."""
    answers = []
    for start in range(0, len(pictures), _BATCH):
        inputs = np.stack([enlarge(picture) for picture in pictures[start : start + _BATCH]])
        answers.append(np.asarray(net(inputs[..., np.newaxis].astype(np.float32) / 255.0, training=False)))
    return np.concatenate(answers)


def shares_of(net: keras.Model, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(N, h, w) grey faces -> (N, outputs) probabilities, the mean of each picture's and its mirror image's."""
    sides = [answers_of(net, side).astype(np.float64) for side in (pictures, pictures[:, :, ::-1])]
    raised = [np.exp(side - side.max(axis=1, keepdims=True)) for side in sides]
    shares = [side / side.sum(axis=1, keepdims=True) for side in raised]
    return np.asarray(np.mean(shares, axis=0), np.float32)


def score_emotion(net: keras.Model, data: EmotionData) -> Scores:
    """Accuracy and macro-F1 over the five answers; `chosen_by` is their mean."""
    five = data.take(data.labels < len(EMOTION_LABELS))
    answers = answers_of(net, five.images)[:, : len(EMOTION_LABELS)].argmax(axis=1)
    table = metrics.confusion(answers, five.labels, len(EMOTION_LABELS))
    accuracy, f1 = metrics.accuracy(answers, five.labels), metrics.macro_f1(table)
    return {"accuracy": accuracy, "macro_f1": f1, "chosen_by": (accuracy + f1) / 2}


def score_keypoints(net: keras.Model, data: KeypointData) -> Scores:
    """RMSE in pixels of the crop and NME; `chosen_by` is the negative RMSE."""
    found = pixel_points(answers_of(net, data.crops))
    rmse = metrics.rmse_px(found, data.points)
    return {"rmse_px": rmse, "nme": metrics.nme(found, data.points), "chosen_by": -rmse}
