"""All figures of a set of answers, ready to be printed, written as JSON or put into a card."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from converter import metrics
from converter.datasets.types import CLASS_NAMES
from edge_runtime.contract import EMOTION_LABELS, KEYPOINT_NAMES
from edge_runtime.manifest import Policy
from edge_runtime.models import calibrated

Figures = dict[str, Any]
"""Plain values that JSON can hold."""


def emotion_figures(logits: NDArray[np.float32], labels: NDArray[np.int64], policy: Policy) -> Figures:
    """Judge the answers on faces of any of the seven classes.

    Args:
        logits: (N, K) the five answers first, then outputs that mean none of them.
        labels: (N,) index into CLASS_NAMES; accuracy and the like count the first five only.
        policy: temperature and threshold of an answer.

    Returns:
        n, accuracy, macro_f1, recall, confusion, ece, threshold, coverage, accuracy_answered; where neutral or fear
        faces are there also the share of them that is called uncertain.
    """
    scores = [calibrated(row, policy.temperature) for row in logits]
    shares = np.stack([score.shares for score in scores])  # (N, 5)
    answered = np.array([score.support for score in scores]) >= policy.enter
    five = labels < len(EMOTION_LABELS)
    answers, truth = shares[five].argmax(axis=1).astype(np.int64), labels[five]
    table = metrics.confusion(answers, truth, len(EMOTION_LABELS))
    figures: Figures = {
        "n": int(five.sum()),
        "accuracy": metrics.accuracy(answers, truth),
        "macro_f1": metrics.macro_f1(table),
        "recall": dict(zip(EMOTION_LABELS, metrics.recall_per_class(table).tolist(), strict=True)),
        "confusion": table.tolist(),
        "ece": metrics.expected_calibration_error(shares[five], truth),
        "threshold": policy.enter,
        "coverage": _mean(answered[five]),
        "accuracy_answered": metrics.accuracy(answers[answered[five]], truth[answered[five]]),
    }
    for label in range(len(EMOTION_LABELS), len(CLASS_NAMES)):
        if np.any(labels == label):
            figures[f"uncertain_{CLASS_NAMES[label]}"] = _mean(~answered[labels == label])
    return figures


def keypoint_figures(found: NDArray[np.float32], points: NDArray[np.float32], source: NDArray[np.str_]) -> Figures:
    """Judge points.

    Args:
        found: (N, 15, 2) answers, pixels of the 96 x 96 crop.
        points: (N, 15, 2) truth; NaN = not annotated.
        source: (N,) where each face came from.

    Returns:
        n, rmse_px, nme, per_point (rmse_px) and per_source (n, rmse_px, nme).
    """
    per_point = metrics.rmse_per_point(found, points).tolist()
    return {
        **_point_figures(found, points),
        "per_point": dict(zip(KEYPOINT_NAMES, per_point, strict=True)),
        "per_source": {
            str(name): _point_figures(found[source == name], points[source == name]) for name in np.unique(source)
        },
    }


def _point_figures(found: NDArray[np.float32], points: NDArray[np.float32]) -> Figures:
    return {"n": len(found), "rmse_px": metrics.rmse_px(found, points), "nme": metrics.nme(found, points)}


def _mean(values: NDArray[np.bool_]) -> float:
    return float(values.mean()) if len(values) else float("nan")
