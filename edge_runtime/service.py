"""The main loop: frames from a source through the pipeline to the sinks, until it ends or is told to stop."""

from __future__ import annotations

import logging
from dataclasses import replace

from edge_runtime._version import __version__
from edge_runtime.camera_retry import CameraRetry
from edge_runtime.capture import captured
from edge_runtime.condition import About, Condition
from edge_runtime.config import device_id
from edge_runtime.datatypes import Frame
from edge_runtime.errors import SourceError
from edge_runtime.events import EventWriter, Identity
from edge_runtime.interfaces import Clock, Sink, Source
from edge_runtime.outlet import Outlet
from edge_runtime.payloads import EndReason, ModelPayload
from edge_runtime.pipeline import FramePipeline
from edge_runtime.policy import EventPolicy
from edge_runtime.settings import Config
from edge_runtime.surroundings import Surroundings
from edge_runtime.wiring import thresholds_of

logger = logging.getLogger(__name__)


class Service:
    """The main loop. It owns all state and runs on one thread."""

    def __init__(
        self, config: Config, pipeline: FramePipeline, source: Source, sinks: list[Sink], around: Surroundings
    ) -> None:
        """Wire the parts; nothing is opened yet."""
        self._config, self._pipeline, self._source, self._around = config, pipeline, source, around
        self._policy = EventPolicy(thresholds_of(pipeline.parts.policy))
        self._identity = _identity(config, pipeline, source, around.clock)
        self._writer = EventWriter(self._identity, around.clock)
        self._outlet = Outlet(sinks, self._writer, config.observations.rate_hz)
        self.condition = Condition(
            _about(self._identity, pipeline), clock=around.clock, send=self._outlet.send, heartbeat=around.heartbeat
        )
        """Parts note here what is wrong with them."""
        self.condition.note("accelerator", pipeline.parts.accelerator.trouble or None)
        self._frames = 0
        self._at = 0.0
        self._was_open = False

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
                before = self._frames
                try:
                    self._wait_for_consent()
                    if self._read_source():
                        break
                except SourceError as error:
                    if not self._may_recover:
                        raise
                    self._recover(error, retry.pause_after(error, frames=self._frames - before))
        finally:
            self._around.heartbeat.stopping()
            self._end_all("shutdown")
            self.condition.tell("stopping", camera="ended")
        return self._frames

    def tell_system(self, message: str) -> None:
        """Send an event about the device itself."""
        self._outlet.send(self._writer.system(message, self._at))

    @property
    def _done(self) -> bool:
        enough = self._around.max_frames is not None and self._frames >= self._around.max_frames
        return enough or self._around.stop.is_set()

    @property
    def _may_recover(self) -> bool:
        return self._source.live and (self._was_open or self._config.service.wait_for_camera)

    def _read_source(self) -> bool:
        """Process frames; False when the camera was closed because consent was taken back."""
        with captured(self._source, timeout_s=self._config.source.timeout_s, stop=self._around.stop) as frames:
            if not self._was_open:
                self._around.heartbeat.ready()
            self._was_open = True
            self._around.audience.reading(frames)
            self.condition.tell("running", camera="running")
            for frame in frames:
                if not self._around.audience.consents():
                    if self._source.live:
                        return False
                    self._wait_for_consent()
                    self.condition.tell("running", camera="running")
                self._process(frame)
                if self._done:
                    break
        return True

    def _wait_for_consent(self) -> None:
        """Read nothing until somebody agrees; the service manager hears that this is no fault."""
        if self._around.audience.consents():
            return
        self._around.heartbeat.ready()
        self._end_all("paused")
        self.condition.tell("running", camera="paused", reasons=("waiting for consent",))
        while not (self._done or self._around.audience.wait_for_consent(0.5)):
            self._around.heartbeat.alive()

    def _process(self, frame: Frame) -> None:
        seen = self._pipeline.process(frame)
        self._at = seen.captured_at
        self._tell_accelerator()
        self._outlet.tell(self._policy.update(seen))
        self._outlet.show(seen)
        self._around.audience.show(frame, seen)
        self._frames += 1
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
        if not self._was_open:
            self._around.heartbeat.ready()  # a missing camera is no reason for systemd to restart us
        self._end_all("lost")
        self.tell_system(f"camera lost: {error}")
        self.condition.tell("degraded", camera="lost", camera_reason=error.reason, reasons=(str(error),))
        waited = 0.0
        while waited < pause_s and not self._around.stop.wait(min(0.5, pause_s - waited)):
            waited += 0.5
            self._around.heartbeat.alive()

    def _end_all(self, reason: EndReason) -> None:
        self._outlet.tell(self._policy.close(self._at, reason))
        self._pipeline.forget_faces()


def _about(identity: Identity, pipeline: FramePipeline) -> About:
    parts = pipeline.parts
    models = {"keypoints": parts.keypoints.manifest, "emotion": parts.emotion.manifest}
    return About(
        device_id=identity.device_id,
        boot_id=identity.boot_id,
        accelerator=parts.accelerator.label,
        models={kind: f"{manifest.name} {manifest.version}" for kind, manifest in models.items()},
        versions={"emotion-edge": __version__, "runtime": identity.model.runtime},
    )


def _identity(config: Config, pipeline: FramePipeline, source: Source, clock: Clock) -> Identity:
    emotion = pipeline.parts.emotion
    return Identity(
        device_id=device_id(config),
        source=source.name,
        boot_id=clock.uuid4(),
        model=ModelPayload(
            name=emotion.manifest.name,
            version=emotion.manifest.version,
            sha256=emotion.sha256,
            runtime=emotion.interpreter.runtime,
            accelerator=emotion.interpreter.device,
        ),
    )
