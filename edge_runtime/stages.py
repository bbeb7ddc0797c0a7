"""How long each stage of a frame takes: a running record without threads or I/O."""

from __future__ import annotations

from collections import deque
from time import perf_counter
from typing import Final, Literal

from edge_runtime.histogram import Histogram

Stage = Literal["detect", "track", "crop", "keypoints", "emotion", "total"]

STAGES: Final[tuple[Stage, ...]] = ("detect", "track", "crop", "keypoints", "emotion", "total")

MODEL_STAGES: Final[tuple[Stage, ...]] = ("detect", "keypoints", "emotion")
"""Stages that are the work of a net or of the detector; the rest is our own overhead."""

_KEPT = 4_000
"""Of every stage: 0.8 MB in all, reached after two minutes of a camera, so that memory stands still soon."""


class _Watch:
    """Times one stage; made once, since it is started several times a frame."""

    __slots__ = ("_started", "histogram", "runs")

    def __init__(self) -> None:
        self.runs: deque[float] = deque(maxlen=_KEPT)
        self.histogram = Histogram()
        self._started = 0.0

    def __enter__(self) -> None:
        self._started = perf_counter()

    def __exit__(self, *error: object) -> None:
        took_s = perf_counter() - self._started
        self.runs.append(took_s)
        self.histogram.observe(took_s)


class StageTimes:
    """Seconds of the newest runs of every stage, bounded."""

    def __init__(self) -> None:
        """Start empty."""
        self._watches = {stage: _Watch() for stage in STAGES}
        self.histograms = {stage: watch.histogram for stage, watch in self._watches.items()}
        """Counts since the start of the process, which `clear` does not touch."""

    def measure(self, stage: Stage) -> _Watch:
        """Time the body of a `with`; a stage is never inside itself."""
        return self._watches[stage]

    def runs(self, stage: Stage) -> tuple[float, ...]:
        """Seconds of each run, oldest first."""
        return tuple(self._watches[stage].runs)

    def clear(self) -> None:
        """Forget everything, for instance the warm-up."""
        for watch in self._watches.values():
            watch.runs.clear()
