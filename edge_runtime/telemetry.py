"""Figures about the device itself: counted while frames are processed, written every minute."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from edge_runtime.audience import Reading
from edge_runtime.board import FLAGS, Board, Throttling
from edge_runtime.interfaces import Clock, Sink
from edge_runtime.payloads import Telemetry, rfc3339

LATENCIES: Final = 4096
"""Newest latencies that are kept for the percentiles: two minutes at 30 frames a second."""


class Figures:
    """Counts since the start, and since the last telemetry."""

    def __init__(self, clock: Clock) -> None:
        """Start at zero now."""
        self.processed = 0
        """Frames since the start."""
        self.left_out: Counter[str] = Counter()
        """Frames that nobody will see, by reason, since the start; the source under watch counts them."""
        self.throttled: frozenset[str] = frozenset()
        """Flags of edge_runtime.board that a reading showed since the start."""
        self._clock = clock
        self._started_at = self._since = clock.monotonic()
        self._processed_before = 0
        self._latencies: deque[float] = deque(maxlen=LATENCIES)
        self._reading: Reading | None = None
        self._dropped_before = 0

    @property
    def dropped(self) -> int:
        """Frames that a newer one replaced before they were processed, since the start."""
        return self._dropped_before + (self._reading.dropped if self._reading else 0)

    def reading(self, frames: Reading) -> None:
        """Count a new capture's drops on top of the old one's."""
        self._dropped_before, self._reading = self.dropped, frames

    def frame(self, captured_at: float) -> None:
        """Count one processed frame; `captured_at` is monotonic seconds."""
        self.processed += 1
        self._latencies.append(self._clock.monotonic() - captured_at)

    def board(self, throttling: Throttling | None) -> None:
        """Remember what the firmware has done against heat and under-voltage; None = the board does not tell."""
        if throttling is not None:
            self.throttled |= {*throttling.now, *throttling.lately}

    def uptime_s(self) -> float:
        """Return the seconds since the start."""
        return self._clock.monotonic() - self._started_at

    def take(self) -> tuple[float, dict[str, float] | None]:
        """Return frames per second and percentiles of the latency, milliseconds, since this was last called."""
        now = self._clock.monotonic()
        frames, seconds = self.processed - self._processed_before, now - self._since
        latencies = sorted(self._latencies)
        self._since, self._processed_before = now, self.processed
        self._latencies.clear()
        latency_ms = {f"p{share}": _at_share(latencies, share) for share in (50, 95)} if latencies else None
        return (round(frames / seconds, 2) if seconds > 0 else 0.0), latency_ms


@dataclass(frozen=True)
class TelemetryWriter:
    """Puts together what is known when it is asked."""

    device_id: str
    figures: Figures
    board: Board
    sinks: Sequence[Sink]
    clock: Clock

    def write(self, limit_fps: float | None) -> Telemetry:
        """Write the figures since the last call."""
        fps, latency_ms = self.figures.take()
        throttling = self.board.throttling()
        self.figures.board(throttling)
        broker: Any = next((sink for sink in self.sinks if sink.name == "mqtt"), None)
        oldest_s = getattr(broker, "oldest_age_s", None)
        return Telemetry(
            device_id=self.device_id,
            time=rfc3339(self.clock.utc()),
            uptime_s=round(self.figures.uptime_s(), 1),
            fps=fps,
            frames_processed=self.figures.processed,
            frames_dropped={"newer_frame": self.figures.dropped, **dict(self.figures.left_out)},
            latency_ms=latency_ms,
            limit_fps=limit_fps,
            temperature_c=self.board.temperature_c(),
            throttled=throttling.now if throttling else None,
            throttled_since_boot=_in_order(self.figures.throttled) if throttling else None,
            memory_mb=_rounded(self.board.memory_mb()),
            mqtt_connected=None if broker is None else bool(broker.connected),
            outbox_messages=None if broker is None else int(broker.pending),
            outbox_oldest_age_s=_rounded(oldest_s),
        )


def _at_share(ascending: Sequence[float], percent: int) -> float:
    """Nearest rank, milliseconds."""
    rank = -(-len(ascending) * percent // 100)
    return round(ascending[max(0, rank - 1)] * 1000, 1)


def _in_order(flags: frozenset[str]) -> tuple[str, ...]:
    return tuple(flag for flag in FLAGS.values() if flag in flags)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
