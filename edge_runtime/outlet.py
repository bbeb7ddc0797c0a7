"""What goes to the sinks and how often: every change, observations at their rate, the state when it changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from edge_runtime.datatypes import Observation
from edge_runtime.events import EventWriter
from edge_runtime.interfaces import Message, Sink
from edge_runtime.policy import Change

STATE_EVERY_S = 60.0
"""The state is repeated at least this often."""


class Outlet:
    """Hands messages to every sink. Sinks never block for long and never raise."""

    def __init__(self, sinks: Sequence[Sink], writer: EventWriter, rate_hz: float | Literal["all"]) -> None:
        """Publish nothing yet."""
        self._sinks = sinks
        self._writer = writer
        self._rate_hz = rate_hz
        self._next_observation_at = float("-inf")
        self._next_state_at = float("-inf")
        self._last_state: tuple[int, str | None] | None = None

    def send(self, message: Message) -> None:
        """Give one message to every sink."""
        for sink in self._sinks:
            sink.publish(message)

    def tell(self, changes: Sequence[Change]) -> None:
        """Write and send an event for every change."""
        for change in changes:
            self.send(self._writer.event(change))

    def show(self, seen: Observation) -> None:
        """Send the observation and the state when they are due."""
        if self._observation_is_due(seen.captured_at):
            self.send(self._writer.observation(seen))
        self._show_state(seen)

    def show_nobody(self, now: float) -> None:
        """Send a state without faces when the last one had some: it is retained, and no frame will correct it.

        Args:
            now: source seconds.
        """
        if self._last_state is not None and self._last_state[0]:
            self._show_state(Observation(0, now, 0, 0, ()))

    def _show_state(self, seen: Observation) -> None:
        primary = seen.primary
        state = (len(seen.faces), primary.emotion.label if primary else None)
        if state != self._last_state or seen.captured_at >= self._next_state_at:
            self._last_state = state
            self._next_state_at = seen.captured_at + STATE_EVERY_S
            self.send(self._writer.state(seen))

    def _observation_is_due(self, now: float) -> bool:
        if self._rate_hz == "all":
            return True
        if self._rate_hz <= 0 or now < self._next_observation_at:
            return False
        period = 1.0 / self._rate_hz
        # Stay on the grid of the rate; after a gap begin a new one instead of catching up.
        late = now - self._next_observation_at
        self._next_observation_at = self._next_observation_at + period if late < period else now + period
        return True
