"""How far the int8 net is from the float net, face by face, and the gate it must pass."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from converter import metrics
from converter.errors import ParityError
from converter.figures import Figures
from edge_runtime.contract import EMOTION_LABELS
from edge_runtime.models import calibrated

LEAST_ACCURACY_RATIO = 0.99
MOST_RMSE_RATIO = 1.01

Answers = NDArray[np.float32]


def emotion_parity(
    float_logits: Answers, int8_logits: Answers, labels: NDArray[np.int64], temperature: float
) -> Figures:
    """Compare logits (N, K); accuracy counts faces of the five classes, differences are of calibrated shares."""
    five = labels < len(EMOTION_LABELS)
    shares = [np.stack([calibrated(row, temperature).shares for row in side]) for side in (float_logits, int8_logits)]
    answers = [side.argmax(axis=1).astype(np.int64) for side in shares]
    accuracy = [metrics.accuracy(side[five], labels[five]) for side in answers]
    difference = np.abs(shares[0] - shares[1])
    return {
        "n": len(labels),
        "accuracy_float": accuracy[0],
        "accuracy_int8": accuracy[1],
        "accuracy_ratio": _ratio(accuracy[1], accuracy[0]),
        "top1_agreement": float(np.mean(answers[0] == answers[1])),
        "share_difference_mean": float(difference.mean()),
        "share_difference_max": float(difference.max()),
        "passed": bool(accuracy[0] > 0 and accuracy[1] >= LEAST_ACCURACY_RATIO * accuracy[0]),
    }


def keypoint_parity(float_points: Answers, int8_points: Answers, truth: Answers) -> Figures:
    """Compare points (N, 15, 2) in pixels of the 96 x 96 crop."""
    rmse = [metrics.rmse_px(side, truth) for side in (float_points, int8_points)]
    distance = np.linalg.norm(float_points - int8_points, axis=-1)
    return {
        "n": len(truth),
        "rmse_px_float": rmse[0],
        "rmse_px_int8": rmse[1],
        "rmse_ratio": _ratio(rmse[1], rmse[0]),
        "distance_px_mean": float(distance.mean()),
        "distance_px_max": float(distance.max()),
        "passed": bool(rmse[1] <= MOST_RMSE_RATIO * rmse[0]),
    }


def _ratio(of_int8: float, of_float: float) -> float:
    return of_int8 / of_float if of_float else float("nan")


def require_parity(figures: Figures) -> None:
    """Let only a net pass that is as good as the float net.

    Raises:
        ParityError: accuracy below 99 % of the float net's, or an RMSE above 1.01 x the float net's.
    """
    if figures["passed"]:
        return
    if "accuracy_ratio" in figures:
        found, allowed = figures["accuracy_ratio"], f"at least {LEAST_ACCURACY_RATIO}"
    else:
        found, allowed = figures["rmse_ratio"], f"at most {MOST_RMSE_RATIO}"
    if math.isnan(found):
        raise ParityError(
            f"int8 against float: expected a ratio of {allowed}, found none, for the float net is right on none of "
            f"{figures['n']} faces (or none of them can be judged); train longer, or compare on other faces"
        )
    raise ParityError(
        f"int8 against float: ratio {found:.4f}, expected {allowed}; calibrate with more pictures "
        f"(calibration_count in the recipe) or train longer"
    )


def mean_difference(figures: Figures) -> float:
    """Say in one figure how far two nets are from each other: pixels, or calibrated shares."""
    return float(figures["distance_px_mean" if "distance_px_mean" in figures else "share_difference_mean"])
