"""Looks at the sinks now and then and says what is wrong with each: away for some time, or losing events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from edge_runtime.interfaces import Clock, Sink

LOOK_EVERY_S: Final = 1.0
PATIENCE_S: Final = 5.0
"""A problem that lasts for so long is told: a broker that is connected to again at once is none."""

QUIET_S: Final = 10.0
"""A sink that has lost nothing for so long loses nothing any more."""

HARMLESS: Final = frozenset({"not_connected", "slow_broker", "closed", "close"})
"""Reasons of `dropped` that are no loss of events: streams without a listener, and the end of the program."""


class SinkWatch:
    """Cheap enough for every turn of the main loop."""

    def __init__(self, sinks: Sequence[Sink], clock: Clock) -> None:
        """Look at these sinks; what they lost before is no news."""
        self._sinks, self._clock = sinks, clock
        self._next_at = float("-inf")
        self._wrong_since: dict[str, float] = {}
        self._lost = {sink.name: _lost(sink) for sink in sinks}
        self._losing: dict[str, tuple[float, str]] = {}

    def look(self) -> Iterator[tuple[str, str | None]]:
        """Yield each sink's name and its problem, None when it is well; nothing when the last look is not long ago."""
        now = self._clock.monotonic()
        if now < self._next_at:
            return
        self._next_at = now + LOOK_EVERY_S
        for sink in self._sinks:
            problems = [told for told in (self._lasting(sink, now), self._loss(sink, now)) if told]
            yield sink.name, "; ".join(problems) or None

    def _lasting(self, sink: Sink, now: float) -> str | None:
        problem: str | None = getattr(sink, "problem", None)
        if problem is None:
            self._wrong_since.pop(sink.name, None)
            return None
        since = self._wrong_since.setdefault(sink.name, now)
        return problem if now - since >= PATIENCE_S else None

    def _loss(self, sink: Sink, now: float) -> str | None:
        """Say that events are being lost and why, without a number that would make every look news."""
        lost, before = _lost(sink), self._lost.get(sink.name, Counter())
        more = lost - before
        if more:
            self._lost[sink.name] = lost
            self._losing[sink.name] = (now, f"{sink.name}: loses messages ({', '.join(sorted(more))})")
        at, told = self._losing.get(sink.name, (float("-inf"), ""))
        return told if now - at < QUIET_S else None


def _lost(sink: Sink) -> Counter[str]:
    dropped: Counter[str] = getattr(sink, "dropped", None) or Counter()
    return Counter({reason: count for reason, count in dropped.items() if reason not in HARMLESS})
