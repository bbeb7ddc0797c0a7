"""How the program and its board do: looks after heat, memory and the picture, and sends the telemetry.

An Audience and a Heartbeat that pass everything on to the ones they stand before. The heart beats at every turn of the
main loop, also while a camera is missing, so nothing in here needs a thread.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from edge_runtime.audience import Audience, Reading
from edge_runtime.board import Board
from edge_runtime.config import device_id
from edge_runtime.datatypes import Frame, Observation
from edge_runtime.errors import MemoryLimitError
from edge_runtime.governor import Governor
from edge_runtime.heartbeat import Heartbeat
from edge_runtime.interfaces import Clock, Sink, Source
from edge_runtime.payloads import OutMessage
from edge_runtime.picture_watch import WatchedSource
from edge_runtime.settings import Config
from edge_runtime.telemetry import Figures, TelemetryWriter

THIS_BOARD: Final = Board()
LOOK_EVERY_S: Final = 2.0
"""How often the board is read: as often as the kernel asks the Raspberry Pi's firmware, see edge_runtime.board."""

SENTENCES: Final = {
    "black": "the picture is black: it is dark, or the camera is covered",
    "one shade": "the picture is of one shade: the camera is covered or blinded",
}
"""By what is wrong with the picture."""


@dataclass(frozen=True)
class Ears:
    """Who hears of trouble."""

    note: Callable[[str, str | None], None]
    """Takes a part and what is wrong with it; None = nothing is."""
    tell_system: Callable[[str], None]
    """Sends an event about the device itself."""


@dataclass(frozen=True)
class VitalParts:
    """What is looked after."""

    source: WatchedSource
    figures: Figures
    governor: Governor
    board: Board
    clock: Clock
    sinks: Sequence[Sink]
    """Asked what they hold; they get the telemetry."""


class Vitals:
    """Stands between the main loop and whoever listens to it or looks on. One thread calls it."""

    def __init__(self, config: Config, parts: VitalParts, *, audience: Audience, heartbeat: Heartbeat) -> None:
        """Pass everything on to `audience` and `heartbeat`."""
        self.ears: Ears | None = None
        """Set them before the loop starts."""
        self._config, self._parts = config, parts
        self._audience, self._heartbeat = audience, heartbeat
        self._figures = parts.figures
        self._writer = TelemetryWriter(
            device_id=device_id(config),
            figures=self._figures,
            board=parts.board,
            sinks=parts.sinks,
            clock=parts.clock,
        )
        self._look_at = parts.clock.monotonic()
        self._tell_at = self._look_at + config.telemetry.period_s
        self._noted: dict[str, str | None] = {}

    def reading(self, frames: Reading) -> None:
        """Count a new capture's drops on top of the old one's."""
        self._figures.reading(frames)
        self._audience.reading(frames)

    def show(self, frame: Frame, seen: Observation) -> None:
        """Count one processed frame, and say when its picture shows nothing."""
        self._figures.frame(frame.captured_at)
        trouble = self._parts.source.trouble
        self._note("picture", SENTENCES.get(trouble) if trouble else None)
        self._audience.show(frame, seen)

    def consents(self) -> bool:
        """Ask the audience."""
        return self._audience.consents()

    def wait_for_consent(self, timeout_s: float) -> bool:
        """Ask the audience."""
        return self._audience.wait_for_consent(timeout_s)

    def ready(self) -> None:
        """Pass it on."""
        self._heartbeat.ready()

    def status(self, text: str) -> None:
        """Pass it on."""
        self._heartbeat.status(text)

    def reloading(self) -> None:
        """Pass it on."""
        self._heartbeat.reloading()

    def stopping(self) -> None:
        """Pass it on."""
        self._heartbeat.stopping()

    def alive(self) -> None:
        """Pass it on; look after the board and send the telemetry when it is time.

        Raises:
            MemoryLimitError: the program holds more memory than it may.
        """
        self._heartbeat.alive()
        now = self._parts.clock.monotonic()
        if now >= self._look_at:
            self._look_at = now + LOOK_EVERY_S
            self._govern(now)
            self._bound_memory()
        period_s = self._config.telemetry.period_s
        if period_s and now >= self._tell_at:
            self._tell_at = now + period_s
            message = OutMessage("telemetry", self._writer.write(self._parts.governor.limit_fps))
            for sink in self._parts.sinks:
                sink.publish(message)

    def _govern(self, now: float) -> None:
        governor, board = self._parts.governor, self._parts.board
        throttling = board.throttling()
        self._figures.board(throttling)
        if self._config.governor.enabled:
            flags = throttling.now if throttling else ()
            governor.update(now, temperature_c=board.temperature_c(), flags=flags)
            self._note("heat", governor.reason)

    def _bound_memory(self) -> None:
        limit_mb, used_mb = self._config.service.max_memory_mb, self._parts.board.memory_mb()
        if limit_mb and used_mb is not None and used_mb > limit_mb:
            message = f"{used_mb:.0f} MB of memory are used, service.max_memory_mb allows {limit_mb:g}"
            if self.ears is not None:
                self.ears.tell_system(f"{message}; ending")
            raise MemoryLimitError(f"{message}; the service manager may start the program anew")

    def _note(self, subject: str, problem: str | None) -> None:
        """Tell a change: in the status, and as an event when it is trouble."""
        if self.ears is None or self._noted.get(subject) == problem:
            return
        self._noted[subject] = problem
        self.ears.note(subject, problem)
        if problem:
            self.ears.tell_system(problem)


def look_after(
    config: Config,
    source: Source,
    sinks: Sequence[Sink],
    *,
    clock: Clock,
    audience: Audience,
    heartbeat: Heartbeat,
    board: Board = THIS_BOARD,
    figures: Figures | None = None,
) -> tuple[WatchedSource, Vitals]:
    """Put a watch on a camera, and vitals before those who look on and listen.

    `figures` are what was counted so far in this process; None = nothing was.
    """
    figures = figures or Figures(clock)
    governor = Governor(config.governor)
    watched = WatchedSource(source, config.source, limit_fps=lambda: governor.limit_fps, left_out=figures.left_out)
    parts = VitalParts(source=watched, figures=figures, governor=governor, board=board, clock=clock, sinks=sinks)
    return watched, Vitals(config, parts, audience=audience, heartbeat=heartbeat)
