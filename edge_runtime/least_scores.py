"""From which score a find of the faces net counts: large ones and small ones each have their own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge_runtime.manifest import Policy

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class LeastScores:
    """Scores, 0..1, and where small ends."""

    large: float
    small: float
    small_below_px: float
    """Shorter side, pixels of the net's input."""

    @classmethod
    def of(cls, policy: Policy) -> LeastScores:
        """Read those of a bundle."""
        if policy.small is None:
            return cls(policy.enter, policy.enter, 0.0)
        return cls(policy.enter, policy.small.enter, policy.small.below_px)

    @property
    def lowest(self) -> float:
        """Score below which no find counts."""
        return min(self.large, self.small)

    def counted(self, scores: Array, shorter_sides: Array) -> NDArray[np.bool_]:
        """(N,) which of (N,) finds count; sides in pixels of the net's input."""
        least = np.where(shorter_sides < self.small_below_px, np.float32(self.small), np.float32(self.large))
        return np.asarray(scores >= least)
