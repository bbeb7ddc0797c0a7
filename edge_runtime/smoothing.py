"""Takes the jitter out of points and the flicker out of scores."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from edge_runtime.contract import LEFT_EYE, RIGHT_EYE
from edge_runtime.geometry import Points


def blend_share(elapsed_s: float, window_s: float) -> float:
    """Share of the new value in an exponential average with time constant `window_s`; 1 without a window."""
    return 1.0 if window_s <= 0 else 1.0 - math.exp(-max(elapsed_s, 0.0) / window_s)


class PointSmoother:
    """Smooths still points much and moving ones little.

    Source of the idea: G. Casiez, N. Roussel, D. Vogel, "1 Euro Filter", CHI 2012: the cutoff grows with speed.
    """

    _SPEED_FOR_HALF_WINDOW = 0.5
    """Eye distances per second at which the window is half as long."""

    def __init__(self, window_s: float) -> None:
        """Remember nothing yet."""
        self._window_s = window_s
        self._points: Points | None = None
        self._at = 0.0

    def update(self, points: Points, now: float) -> Points:
        """(15, 2) raw points of a frame at source second `now` -> (15, 2) smoothed points."""
        if self._points is None:
            self._points, self._at = points, now
            return points
        elapsed = max(now - self._at, 1e-3)
        eyes = max(math.dist(points[LEFT_EYE].tolist(), points[RIGHT_EYE].tolist()), 1.0)
        # The whole face moves as one: its mean motion tells jitter from movement better than a single point's.
        moved = points - self._points
        speed = math.hypot(*moved.sum(axis=0).tolist()) / len(moved) / eyes / elapsed
        window = self._window_s / (1.0 + speed / self._SPEED_FOR_HALF_WINDOW)
        share = np.float32(blend_share(elapsed, window))
        self._points, self._at = self._points + share * moved, now
        return self._points


class ScoreSmoother:
    """Exponential average of calibrated scores over source time."""

    def __init__(self, window_s: float) -> None:
        """Remember nothing yet."""
        self._window_s = window_s
        self._shares: NDArray[np.float64] | None = None
        self._supports: NDArray[np.float64] | None = None
        self._at = 0.0

    def update(
        self, shares: NDArray[np.float64], supports: NDArray[np.float64], now: float
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Average (5,) shares among the five answers and (5,) probabilities with `none` counted in."""
        if self._shares is None or self._supports is None:
            self._shares, self._supports = shares, supports
        else:
            share = blend_share(now - self._at, self._window_s)
            self._shares = self._shares + share * (shares - self._shares)
            self._supports = self._supports + share * (supports - self._supports)
        self._at = now
        return self._shares, self._supports
