"""Whether the frame loop still turns: a heartbeat that remembers its last beat and passes it on."""

from __future__ import annotations

from typing import Final

from edge_runtime.heartbeat import Heartbeat
from edge_runtime.interfaces import Clock

STALLED_AFTER_S: Final = 20.0
"""A loop that is silent for longer hangs: a wait for a camera beats once a second, one for a broker may not."""


class Pulse:
    """Listens beside the service manager."""

    def __init__(self, clock: Clock, inner: Heartbeat) -> None:
        """Pass everything on to `inner`."""
        self._clock, self._inner = clock, inner
        self._beat_at = clock.monotonic()

    @property
    def age_s(self) -> float:
        """Seconds since the loop last turned."""
        return self._clock.monotonic() - self._beat_at

    @property
    def stalled(self) -> bool:
        """Whether the loop hangs."""
        return self.age_s > STALLED_AFTER_S

    def ready(self) -> None:
        """Pass it on."""
        self._beat()
        self._inner.ready()

    def alive(self) -> None:
        """Remember when, and pass it on."""
        self._beat()
        self._inner.alive()

    def status(self, text: str) -> None:
        """Pass it on."""
        self._inner.status(text)

    def reloading(self) -> None:
        """Pass it on."""
        self._beat()
        self._inner.reloading()

    def stopping(self) -> None:
        """Pass it on."""
        self._beat()
        self._inner.stopping()

    def _beat(self) -> None:
        self._beat_at = self._clock.monotonic()
