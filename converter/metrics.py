"""Figures of merit, each computed once for training, evaluation and parity."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge_runtime.contract import LEFT_EYE, RIGHT_EYE

Floats = NDArray[np.float32] | NDArray[np.float64]
Labels = NDArray[np.int64]

ECE_BINS = 15


def softmax(logits: Floats, temperature: float = 1.0) -> NDArray[np.float64]:
    """(N, K) logits -> (N, K) shares that sum to 1."""
    scaled = np.asarray(logits, np.float64) / temperature
    raised = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def accuracy(answers: Labels, labels: Labels) -> float:
    """Share of right answers, 0..1; NaN when there is none."""
    return float(np.mean(answers == labels)) if len(labels) else float("nan")


def confusion(answers: Labels, labels: Labels, classes: int) -> NDArray[np.int64]:
    """(classes, classes) counts: row = true class, column = answer."""
    table = np.zeros((classes, classes), np.int64)
    np.add.at(table, (labels, answers), 1)
    return table


def recall_per_class(table: NDArray[np.int64]) -> NDArray[np.float64]:
    """Share of each class that was found; NaN for a class that does not occur."""
    total = table.sum(axis=1)
    return np.where(total > 0, np.diag(table) / np.maximum(total, 1), np.nan)


def macro_f1(table: NDArray[np.int64]) -> float:
    """Mean F1 over the classes that occur."""
    present = table.sum(axis=1) > 0
    scores = 2 * np.diag(table) / np.maximum(table.sum(axis=0) + table.sum(axis=1), 1)
    return float(scores[present].mean()) if present.any() else float("nan")


def expected_calibration_error(shares: Floats, labels: Labels) -> float:
    """Mean gap between confidence and accuracy over 15 equal bins, weighted by their size; NaN when there is no face.

    Source: C. Guo, G. Pleiss, Y. Sun, K. Weinberger, "On Calibration of Modern Neural Networks", ICML 2017.
    """
    confidence, right = shares.max(axis=1), shares.argmax(axis=1) == labels
    bins = np.minimum((confidence * ECE_BINS).astype(int), ECE_BINS - 1)
    gaps = [abs(right[bins == b].mean() - confidence[bins == b].mean()) * np.mean(bins == b) for b in np.unique(bins)]
    return float(sum(gaps)) if gaps else float("nan")


def rmse_px(found: Floats, points: Floats) -> float:
    """Root of the mean squared error over all annotated coordinates, x and y counted separately, in pixels.

    Args:
        found: (N, 15, 2) answers.
        points: (N, 15, 2) truth; NaN = not annotated.
    """
    return float(np.sqrt(np.nanmean((found - points) ** 2)))


def rmse_per_point(found: Floats, points: Floats) -> NDArray[np.float64]:
    """(15,) the same for each point; NaN where a point is never annotated."""
    error = (found - points) ** 2
    count = np.isfinite(error).sum(axis=(0, 2))
    return np.sqrt(np.where(count > 0, np.nansum(error, axis=(0, 2)) / np.maximum(count, 1), np.nan))


def nme(found: Floats, points: Floats) -> float:
    """Mean Euclidean error over annotated points, as a share of the distance of the two eye centres."""
    eyes = np.linalg.norm(points[:, LEFT_EYE] - points[:, RIGHT_EYE], axis=-1)
    distance = np.linalg.norm(found - points, axis=-1)
    return float(np.nanmean(distance / eyes[:, np.newaxis]))


def side_shift_px(found: Floats, mirrored: Floats, points: Floats) -> float:
    """How far labels lie to the right of where a net sees the points in a picture and in its mirror image, pixels.

    What a net has learnt of one side cancels out between the two; what is left is how the labels were made.

    Args:
        found: (N, 15, 2) answers.
        mirrored: (N, 15, 2) answers to the mirrored pictures, mirrored back.
        points: (N, 15, 2) labels; NaN = not annotated.
    """
    return float(np.nanmean((points - (found + mirrored) / 2)[..., 0]))
