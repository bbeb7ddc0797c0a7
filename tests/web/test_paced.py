"""A file at its own speed."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from edge_runtime.testing import FakeSource, ManualClock
from edge_runtime.web.paced import PacedSource


class Pause(threading.Event):
    """Lets time pass instead of waiting for it."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__()
        self._clock = clock

    def wait(self, timeout: float | None = None) -> bool:
        self._clock.advance(timeout or 0.0)
        return False


def test_frames_come_at_their_own_time() -> None:
    clock = ManualClock()
    source = FakeSource([np.zeros((8, 8), np.uint8)] * 4, fps=10.0)

    with PacedSource(source, clock=clock, stop=Pause(clock)) as paced:
        times = [clock.monotonic() for _ in paced.frames()]

    assert times == pytest.approx([0.0, 0.1, 0.2, 0.3])


def test_a_slow_reader_is_not_hurried_to_catch_up() -> None:
    clock = ManualClock()
    source = FakeSource([np.zeros((8, 8), np.uint8)] * 4, fps=10.0)
    times = []

    with PacedSource(source, clock=clock, stop=Pause(clock)) as paced:
        for frame in paced.frames():
            times.append(clock.monotonic())
            clock.advance(1.0 if frame.index == 1 else 0.0)

    assert times == pytest.approx([0.0, 0.1, 1.1, 1.2])
