"""A bound on the program's own log: lines that repeat are held back and counted, so that no fault can flood a disk."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

WINDOW_S: Final = 60.0
ALL_TIMES: Final = 20
"""All lines together may be so many times what similar ones may."""
MAX_KINDS: Final = 500
"""Kinds of lines that are remembered; what a library writes with its numbers in the text is a new kind each time."""
_SUMMARY: Final = "log_limit_summary"

Kind = tuple[str, int, str]
"""Logger, level and text before its values are filled in: lines that have these in common are similar."""


@dataclass(slots=True)
class _Window:
    """One minute of one kind."""

    began_at: float
    passed: int = 0
    held_back: int = 0

    def lets_pass(self, limit: int) -> bool:
        if self.passed < limit:
            self.passed += 1
            return True
        self.held_back += 1
        return False


class LogLimit(logging.Filter):
    """Lets some similar lines a minute pass. When the minute is over it says how many were held back.

    Belongs on handlers, not on loggers: a logger's filter does not see what comes from loggers below it.
    """

    def __init__(self, per_minute: int, *, monotonic: Callable[[], float]) -> None:
        """Let `per_minute` similar lines pass; `monotonic` gives seconds."""
        super().__init__()
        self._per_minute, self._monotonic = per_minute, monotonic
        self._windows: dict[Kind, _Window] = {}
        self._all = _Window(monotonic())
        self._lock = threading.Lock()

    def filter(self, record: logging.LogRecord) -> bool:
        """Say whether a line passes; tell first of minutes that are over. Called by every thread that logs."""
        if hasattr(record, _SUMMARY):
            return True
        kind = (record.name, record.levelno, str(record.msg))
        with self._lock:
            now = self._monotonic()
            over = self._ended(now)
            window = self._windows.get(kind)
            if window is None:
                window = self._windows[kind] = _Window(now)
            # Held back as one of many alike, a line does not count against all the others.
            passes = window.lets_pass(self._per_minute) and self._all.lets_pass(ALL_TIMES * self._per_minute)
            others = self._others_held_back(now)
        for ended, held_back in over:
            _tell(ended, held_back, f"like {ended[2]!r:.200}")
        if others:
            _tell(kind, others, "of all kinds")
        return passes

    def _ended(self, now: float) -> list[tuple[Kind, int]]:
        """Forget the minutes that are over, and the oldest ones when there are too many kinds."""
        ended = []
        while self._windows:
            kind = next(iter(self._windows))  # in the order in which they began: the rest is younger
            window = self._windows[kind]
            if now - window.began_at < WINDOW_S and len(self._windows) < MAX_KINDS:
                break
            del self._windows[kind]
            if window.held_back:
                ended.append((kind, window.held_back))
        return ended

    def _others_held_back(self, now: float) -> int:
        """Begin a minute of all kinds anew when it is over; return how many it held back."""
        if now - self._all.began_at < WINDOW_S:
            return 0
        ended, self._all = self._all, _Window(now)
        return ended.held_back


def limit_log(handlers: Iterable[logging.Handler], per_minute: int, *, monotonic: Callable[[], float]) -> None:
    """Put one limit on each handler, in the place of the one that was there; 0 = none."""
    for handler in handlers:
        for known in [known for known in handler.filters if isinstance(known, LogLimit)]:
            handler.removeFilter(known)
        if per_minute:
            handler.addFilter(LogLimit(per_minute, monotonic=monotonic))


def _tell(kind: Kind, held_back: int, what: str) -> None:
    name, level, _ = kind
    logging.getLogger(name).log(level, "%d lines %s were held back", held_back, what, extra={_SUMMARY: True})
