"""Chooses temperature and thresholds of the emotion answer, on validation faces alone."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from edge_runtime.contract import EMOTION_LABELS
from edge_runtime.manifest import Policy
from edge_runtime.models import calibrated

ANSWERED_SHARE = 0.85
"""How many faces of the five classes get an answer at `enter`."""

KEPT_SHARE = 0.93
"""How many keep one at `exit`: the gap is the hysteresis."""

_FINEST = 1000
_GOLDEN = (math.sqrt(5) - 1) / 2
_LOG_RANGE = (math.log(0.2), math.log(5.0))
_SEARCH_STEPS = 40


def choose_policy(logits: NDArray[np.float32], labels: NDArray[np.int64]) -> Policy:
    """Fit the temperature, then the highest thresholds that still answer enough faces of the five classes.

    Args:
        logits: (N, K) int8 net's answers, the five first, then outputs that mean none of them.
        labels: (N,) index into CLASS_NAMES.
    """
    temperature = round(fit_temperature(logits, labels), 4)
    five = logits[labels < len(EMOTION_LABELS)]
    support = np.array([calibrated(row, temperature).support for row in five])
    return Policy(
        temperature=temperature,
        enter=_threshold(support, ANSWERED_SHARE),
        exit=_threshold(support, KEPT_SHARE),
    )


def _threshold(support: NDArray[np.float64], share: float) -> float:
    """Return the highest threshold, in steps of 0.001, that at least this share of faces reaches."""
    return math.floor(float(np.quantile(support, 1 - share, method="lower")) * _FINEST) / _FINEST


def fit_temperature(logits: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    """Minimise the negative log-likelihood of label, or of `none` as a whole, by golden-section search."""
    low, high = _LOG_RANGE
    for _ in range(_SEARCH_STEPS):
        a, b = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        if _negative_log_likelihood(logits, labels, math.exp(a)) < _negative_log_likelihood(
            logits, labels, math.exp(b)
        ):
            high = b
        else:
            low = a
    return math.exp((low + high) / 2)


def _negative_log_likelihood(logits: NDArray[np.float32], labels: NDArray[np.int64], temperature: float) -> float:
    """Mean over the faces whose label the net has an output for."""
    answers = len(EMOTION_LABELS)
    scaled = logits.astype(np.float64) / temperature
    scaled -= scaled.max(axis=1, keepdims=True)
    raised = np.exp(scaled)
    of_none = labels >= answers
    rows = np.arange(len(labels))
    wanted = np.where(of_none, raised[:, answers:].sum(axis=1), raised[rows, np.where(of_none, 0, labels)])
    usable = ~of_none if logits.shape[1] == answers else np.ones(len(labels), bool)
    return float(-np.log(np.maximum(wanted[usable] / raised[usable].sum(axis=1), 1e-12)).mean())
