"""The main loop: frames from a source through the pipeline to the sinks, until it ends or is told to stop."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace

from edge_runtime.camera_retry import CameraRetry
from edge_runtime.capture import captured
from edge_runtime.commands import Proof
from edge_runtime.condition import Condition
from edge_runtime.control import Control
from edge_runtime.datatypes import Frame
from edge_runtime.errors import SourceError
from edge_runtime.events import EventWriter, Identity
from edge_runtime.interfaces import Sink, Source
from edge_runtime.outlet import Outlet
from edge_runtime.payloads import EndReason
from edge_runtime.pipeline import FramePipeline
from edge_runtime.policy import EventPolicy
from edge_runtime.proofs import running_proofs
from edge_runtime.session import Session
from edge_runtime.settings import Config
from edge_runtime.signals import StopRequest
from edge_runtime.sink_watch import SinkWatch
from edge_runtime.speaker import about_of, identity_of
from edge_runtime.surroundings import Surroundings
from edge_runtime.wiring import thresholds_of

logger = logging.getLogger(__name__)


class Service:
    """The main loop. It owns all state and runs on one thread."""

    def __init__(
        self,
        config: Config,
        pipeline: FramePipeline,
        source: Source,
        sinks: list[Sink],
        around: Surroundings,
        session: Session | None = None,
    ) -> None:
        """Wire the parts; nothing is opened yet. `session` is what an earlier service of this process left."""
        self._config, self._pipeline, self._source, self._around = config, pipeline, source, around
        self._policy = EventPolicy(thresholds_of(pipeline.parts.policy))
        self._session = session or Session(around.clock)
        self._identity = identity_of(config, pipeline, source, self._session.boot_id)
        self._writer = EventWriter(self._identity, around.clock, self._session.numbers)
        self._outlet = Outlet(sinks, self._writer, config.observations.rate_hz)
        self.condition = Condition(
            about_of(self._identity, pipeline), clock=around.clock, send=self._outlet.send, heartbeat=around.heartbeat
        )
        """Parts note here what is wrong with them."""
        self.condition.note("accelerator", pipeline.parts.accelerator.trouble or None)
        self.condition.note("configuration", self._session.refusal)
        self._control = Control(
            self._identity.device_id,
            session=self._session,
            around=around,
            send=self._outlet.send,
            selftest=self._proofs,
        )
        self.proven = config
        """Names the bundles that the nets were made of; a self-test asks for their recorded answers."""
        self._sink_watch = SinkWatch(sinks, around.clock)
        self._is_up = False
        pipeline.parts.tracker.next_id = self._session.next_track_id

    @property
    def identity(self) -> Identity:
        """Who speaks in the events of this run."""
        return self._identity

    def run(self) -> int:
        """Process frames until the end; every start gets its end, whatever happens."""
        self.condition.tell("starting", camera="connecting")
        retry = CameraRetry(self._config.service)
        try:
            while not self._done:
                before = self._session.frames
                try:
                    self._wait_until_allowed()
                    if self._read_source():
                        break
                except SourceError as error:
                    if not self._may_recover:
                        raise
                    self._recover(error, retry.pause_after(error, frames=self._session.frames - before))
        finally:
            self._finish()
        return self._session.frames

    def tell_system(self, message: str) -> None:
        """Send an event about the device itself: of a camera at this moment, however long it has given no frame."""
        at = self._around.clock.monotonic() if self._source.live else self._session.at
        self._outlet.send(self._writer.system(message, at))

    @property
    def _done(self) -> bool:
        enough = self._around.max_frames is not None and self._session.frames >= self._around.max_frames
        return enough or self._around.stop.is_set() or self._session.wanted is not None

    @property
    def _may_recover(self) -> bool:
        return self._source.live and (self._source.name in self._session.opened or self._config.service.wait_for_camera)

    @property
    def _may_read(self) -> bool:
        return self._around.audience.consents() and not self._session.paused

    def _read_source(self) -> bool:
        """Process frames; False when the camera was closed because frames may not be read for now."""
        around = self._around
        timeout_s = self._config.source.timeout_s
        with captured(self._source, timeout_s=timeout_s, stop=around.stop, alive=around.heartbeat.alive) as frames:
            self._session.opened.add(self._source.name)
            self._up()
            self._around.audience.reading(frames)
            self.condition.tell("running", camera="running")
            for frame in frames:
                self._attend()
                if not self._may_read:
                    if self._source.live:
                        return False
                    self._wait_until_allowed()
                    if self._done:
                        break
                    self.condition.tell("running", camera="running")
                self._process(frame)
                if self._done:
                    break
        return True

    def _wait_until_allowed(self) -> None:
        """Read nothing while that is not allowed; the service manager hears that this is no fault."""
        if self._may_read:
            return
        self._up()
        self._end_all("paused")
        told = ""
        while not (self._done or self._may_read):
            why = "paused by a command" if self._session.paused else "waiting for consent"
            if why != told:
                self.condition.tell("running", camera="paused", reasons=(why,))
                told = why
            self._control.now_paused()
            if self._session.paused:
                self._around.stop.wait(0.25)
            else:
                self._around.audience.wait_for_consent(0.5)
            self._around.heartbeat.alive()
            self._attend()

    def _up(self) -> None:
        """Say once that configuration, models and loop are up; a reload has come to its end."""
        if self._is_up:
            return
        self._is_up = True
        self._around.heartbeat.ready()
        self._around.in_use(self._config)
        self._settle_reload()

    def _attend(self) -> None:
        """Look at the sinks, and do what was asked for."""
        for subject, problem in self._sink_watch.look():
            self.condition.note(subject, problem)
        self._control.attend()
        if self._session.reload is not None and self._session.wanted is None:
            self._settle_reload()
            self._around.heartbeat.ready()

    def _proofs(self) -> Iterator[Proof]:
        for proof in running_proofs(self.proven, self._pipeline.parts):
            self._around.heartbeat.alive()
            yield proof

    def _settle_reload(self) -> None:
        message = self._control.settle_reload()
        if message is not None:
            self.tell_system(message)
            self.condition.note("configuration", self._session.refusal)

    def _finish(self) -> None:
        """Give every start its end; say goodbye unless another service goes on."""
        self._session.next_track_id = self._pipeline.parts.tracker.next_id
        on_trial = self._session.reload is not None and not self._is_up
        if (self._session.wanted is not None or on_trial) and not self._around.stop.is_set():
            self._end_all("paused")
            return
        if isinstance(self._around.stop, StopRequest) and self._around.stop.reason:
            logger.info("%s: stopping", self._around.stop.reason)
        self._around.heartbeat.stopping()
        self._end_all("shutdown")
        self.condition.tell("stopping", camera="ended")

    def _process(self, frame: Frame) -> None:
        seen = self._pipeline.process(frame)
        self._session.at = seen.captured_at
        self._tell_accelerator()
        self._outlet.tell(self._policy.update(seen))
        self._outlet.show(seen)
        self._around.audience.show(frame, seen)
        self._session.frames += 1
        self._around.heartbeat.alive()

    def _tell_accelerator(self) -> None:
        """Tell when the nets run elsewhere than on the frame before."""
        parts = self._pipeline.parts
        label, before = parts.accelerator.label, self.condition.about.accelerator
        if label == before:
            return
        self.condition.about = replace(self.condition.about, accelerator=label)
        self._writer.runs_on(parts.emotion.interpreter.device)
        self.tell_system(f"nets run on {label}, before on {before}")
        self.condition.note("accelerator", parts.accelerator.trouble or None)

    def _recover(self, error: SourceError, pause_s: float) -> None:
        """Say that the camera is gone, end what was seen, and wait before the next try."""
        logger.warning("%s; next try in %.1f s", error, pause_s)
        self._up()  # a missing camera is no reason for systemd to restart us
        self._end_all("lost")
        self.tell_system(f"camera lost: {error}")
        self.condition.tell("degraded", camera="lost", camera_reason=error.reason, reasons=(str(error),))
        waited = 0.0
        while waited < pause_s and not self._around.stop.wait(min(0.5, pause_s - waited)):
            waited += 0.5
            self._around.heartbeat.alive()
            self._attend()
            if self._done or self._session.paused:
                return

    def _end_all(self, reason: EndReason) -> None:
        self._outlet.tell(self._policy.close(self._session.at, reason))
        self._outlet.show_nobody(self._session.at)
        self._pipeline.forget_faces()
