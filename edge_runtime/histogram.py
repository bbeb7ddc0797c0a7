"""How often something took how long: fixed bounds, running counts, no memory of single runs."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import Final

SECONDS: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
"""Upper bounds for stages of a frame: a net takes 1 ms on a workstation and 50 ms on the slowest board."""


class Histogram:
    """Counts observations by upper bound. One thread writes, others may read."""

    __slots__ = ("bounds", "counts", "last", "total")

    def __init__(self, bounds: Sequence[float] = SECONDS) -> None:
        """Start empty; `bounds` ascend."""
        self.bounds = tuple(bounds)
        self.counts = [0] * (len(self.bounds) + 1)
        """Observations at or below each bound and above the one before; the last for everything larger."""
        self.total = 0.0
        self.last = 0.0

    def observe(self, value: float) -> None:
        """Count one."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value
        self.last = value
