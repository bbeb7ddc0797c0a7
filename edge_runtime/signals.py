"""Signals of the operating system become wishes that the main loop looks at between two frames.

A handler runs in the main thread between any two of its steps, also while that thread holds a lock. So nothing here
takes one, and nothing is logged from a handler: threading.Event and the log's stream would wait for themselves.
"""

from __future__ import annotations

import os
import select
import signal
import threading
from collections.abc import Callable
from types import FrameType


class StopRequest(threading.Event):
    """An event that a signal handler may set: a byte in a pipe takes the lock's place."""

    def __init__(self) -> None:
        """Begin unset; the pipe lives as long as the process."""
        super().__init__()
        self.reason = ""
        """What asked for the end, for the log."""
        self._wanted = False
        self._heard, self._bell = os.pipe()
        os.set_blocking(self._bell, False)
        self._poll = select.poll()
        self._poll.register(self._heard, select.POLLIN)

    def is_set(self) -> bool:
        """Whether the end was asked for."""
        return self._wanted

    def set(self) -> None:
        """Ask for the end, and end every wait for it."""
        if not self._wanted:
            self._wanted = True
            os.write(self._bell, b"s")

    def wait(self, timeout: float | None = None) -> bool:
        """Wait, at most `timeout` seconds, until the end is asked for; whether it was."""
        if not self._wanted:
            self._poll.poll(None if timeout is None else max(0.0, timeout) * 1000.0)
        return self._wanted


def stop_on_signals(stop: StopRequest) -> None:
    """Turn SIGINT and SIGTERM into an end in good order."""

    def handle(number: int, _frame: FrameType | None) -> None:
        stop.reason = stop.reason or signal.Signals(number).name
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, handle)


def reload_on_hangup(ask: Callable[[], None]) -> None:
    """Turn SIGHUP into a call of `ask`, which must not take a lock."""
    signal.signal(signal.SIGHUP, lambda _number, _frame: ask())
