"""How long each stage of a frame takes: a running record without threads or I/O."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Final, Literal

from edge_runtime.histogram import Histogram

Stage = Literal["detect", "track", "crop", "keypoints", "emotion", "total"]

STAGES: Final[tuple[Stage, ...]] = ("detect", "track", "crop", "keypoints", "emotion", "total")

MODEL_STAGES: Final[tuple[Stage, ...]] = ("detect", "keypoints", "emotion")
"""Stages that are the work of a net or of the detector; the rest is our own overhead."""

_KEPT = 4_000
"""Of every stage: 0.8 MB in all, reached after two minutes of a camera, so that memory stands still soon."""


class StageTimes:
    """Seconds of the newest runs of every stage, bounded."""

    def __init__(self) -> None:
        """Start empty."""
        self._runs: dict[Stage, deque[float]] = {}
        self.histograms = {stage: Histogram() for stage in STAGES}
        """Counts since the start of the process, which `clear` does not touch."""

    @contextmanager
    def measure(self, stage: Stage) -> Iterator[None]:
        """Time the body of a `with`."""
        started = perf_counter()
        try:
            yield
        finally:
            took_s = perf_counter() - started
            self._runs.setdefault(stage, deque(maxlen=_KEPT)).append(took_s)
            self.histograms[stage].observe(took_s)

    def runs(self, stage: Stage) -> tuple[float, ...]:
        """Seconds of each run, oldest first."""
        return tuple(self._runs.get(stage, ()))

    def clear(self) -> None:
        """Forget everything, for instance the warm-up."""
        self._runs.clear()
