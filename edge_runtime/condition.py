"""How the device is: what the service does and what its parts say is wrong, told as one status."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from edge_runtime.heartbeat import Heartbeat
from edge_runtime.interfaces import Clock
from edge_runtime.payloads import OutMessage, ServiceState, Status, rfc3339


@dataclass(frozen=True)
class About:
    """What every status says of the device itself."""

    device_id: str
    boot_id: str
    accelerator: str
    models: dict[str, str]
    """Kind: name and version."""
    versions: dict[str, str]


class Condition:
    """Knows how the device is; the main loop's thread owns it."""

    def __init__(self, about: About, *, clock: Clock, send: Callable[[OutMessage], None], heartbeat: Heartbeat) -> None:
        """Tell nothing yet.

        Args:
            about: may be replaced when it changes; the next status says so.
            clock: dates every status.
            send: gives a status to the sinks.
            heartbeat: gets one line for a person.
        """
        self.about = about
        self._clock, self._send, self._heartbeat = clock, send, heartbeat
        self._state: ServiceState = "starting"
        self._camera = "connecting"
        self._camera_reason: str | None = None
        self._reasons: tuple[str, ...] = ()
        self._problems: dict[str, str] = {}

    def tell(
        self, state: ServiceState, *, camera: str, camera_reason: str | None = None, reasons: tuple[str, ...] = ()
    ) -> None:
        """Tell what the service does now, also when nothing changed.

        Args:
            state: `running` becomes `degraded` while a part has a problem.
            camera: connecting, running, paused, lost or ended.
            camera_reason: one word for what is wrong with a lost camera.
            reasons: why, beside the problems of parts.
        """
        self._state, self._camera, self._camera_reason, self._reasons = state, camera, camera_reason, reasons
        self._tell()

    def note(self, subject: str, problem: str | None) -> None:
        """Remember what is wrong with a part; a change is told at once, once the service runs.

        Args:
            subject: the part, for instance the name of a sink; it has one problem at a time.
            problem: one sentence without changing numbers; None = nothing is wrong (any more).
        """
        if self._problems.get(subject) == problem:
            return
        if problem is None:
            del self._problems[subject]
        else:
            self._problems[subject] = problem
        if self._state in {"running", "degraded"}:
            self._tell()

    def _tell(self) -> None:
        state: ServiceState = "degraded" if self._state == "running" and self._problems else self._state
        status = Status(
            device_id=self.about.device_id,
            boot_id=self.about.boot_id,
            time=rfc3339(self._clock.utc()),
            state=state,
            reasons=(*self._reasons, *self._problems.values()),
            camera=self._camera,
            camera_reason=self._camera_reason,
            accelerator=self.about.accelerator,
            models=self.about.models,
            versions=self.about.versions,
        )
        self._send(OutMessage("status", status))
        why = f": {'; '.join(status.reasons)}" if status.reasons else ""
        self._heartbeat.status(f"{state}, camera {self._camera}{why}")
