"""The only file that names concrete back-ends: from settings to a source, a pipeline and sinks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from edge_runtime.accelerator.processor import Processor
from edge_runtime.bundle import Bundle
from edge_runtime.clock import SystemClock
from edge_runtime.commands import Inbox
from edge_runtime.config import device_id, load_config
from edge_runtime.contract import ModelKind
from edge_runtime.errors import ConfigError, DetectorError
from edge_runtime.heartbeat import Heartbeat
from edge_runtime.interfaces import Accelerator, Clock, Detector, Interpreter, Sink, Source
from edge_runtime.interpreter import open_interpreter
from edge_runtime.model_store.opening import load_chosen, place_of, place_of_faces, trusted_keys
from edge_runtime.model_store.proof import nobody_waits
from edge_runtime.models import EmotionModel, KeypointModel
from edge_runtime.pipeline import FramePipeline, PipelineParts
from edge_runtime.policy import Thresholds
from edge_runtime.settings import Config, Models, Policy, Web
from edge_runtime.settings import Detector as DetectorSettings
from edge_runtime.settings import Source as SourceSettings
from edge_runtime.settings import Tracker as TrackerSettings
from edge_runtime.signature import require_signed_file
from edge_runtime.sources.uri import SourceUri, known_source, parse_source
from edge_runtime.tracker import Tracker

if TYPE_CHECKING:
    from typing_extensions import Self

    from edge_runtime.web.opening import WebParts


class Pipeline(FramePipeline):
    """The chain of a configuration: detector, tracker and both nets."""

    @classmethod
    def from_builtin(cls) -> Self:
        """Build it from the shipped models and the default settings."""
        return cls.from_config(load_config())

    @classmethod
    def from_config(
        cls, config: Config, *, may_fall_back: bool = True, alive: Callable[[], None] = nobody_waits
    ) -> Self:
        """Build it from settings.

        Args:
            config: which nets, and where they run.
            may_fall_back: False: DelegateError where a net would run on the processor although another device is set.
            alive: called at least once a second while a device is waited for.

        Raises:
            ModelError: a model or the detector cannot be used.
        """
        accelerator = open_accelerator(config.models, may_fall_back=may_fall_back)
        emotion_bundle = open_bundle("emotion", config.models)
        keypoint_bundle = open_bundle("keypoints", config.models)
        parts = PipelineParts(
            detector=open_detector(config.detector, config.models, accelerator),
            keypoints=KeypointModel(keypoint_bundle, open_net(keypoint_bundle, config.models, accelerator)),
            emotion=EmotionModel(emotion_bundle, open_net(emotion_bundle, config.models, accelerator)),
            tracker=Tracker(tracker_of(config)),
            policy=resolved_policy(config.policy, emotion_bundle),
            every_n_frames=config.detector.every_n_frames,
            accelerator=accelerator,
        )
        accelerator.start(alive)
        return cls(parts)

    def __enter__(self) -> Self:
        """Hold the nets; they are open."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Give the accelerator back; the rest goes with this object."""
        self.parts.accelerator.close()


def open_bundle(kind: ModelKind, models: Models) -> Bundle:
    """Load the configured, the activated or the shipped bundle of a kind, the first there is."""
    return load_chosen(kind, place_of(kind, models), models)


def open_source(source: SourceSettings | str, clock: Clock | None = None, *, loop: bool = False) -> Source:
    """Choose the source of a URI; it opens in its `with`.

    Args:
        source: settings, or a URI with everything else as default.
        clock: gives live frames their times.
        loop: begin the demo again when it ends.

    Raises:
        SourceError: nothing of the kind.
    """
    settings = SourceSettings(uri=source) if isinstance(source, str) else source
    clock = clock or SystemClock()
    uri = parse_source(settings.uri)
    if uri.kind == "video":
        from edge_runtime.sources.video import VideoFile

        return VideoFile(Path(uri.location))
    if uri.kind == "pictures":
        from edge_runtime.sources.pictures import PictureFolder

        return PictureFolder(Path(uri.location), fps=settings.fps)
    if uri.kind == "demo":
        from edge_runtime.sources.demo import Demo

        return Demo(loop=loop)
    return _live_source(uri, settings, clock)


def _live_source(uri: SourceUri, settings: SourceSettings, clock: Clock) -> Source:
    if uri.kind == "stream":
        from edge_runtime.sources.stream import NetworkStream

        return NetworkStream(uri.location, timeout_s=settings.timeout_s, clock=clock)
    size = (settings.width_px, settings.height_px)
    if uri.kind == "picamera":
        from edge_runtime.sources.picamera import PiCamera

        return PiCamera(
            uri.number,
            width_px=size[0],
            height_px=size[1],
            fps=settings.fps,
            timeout_s=settings.timeout_s,
            clock=clock,
        )
    from edge_runtime.sources.camera import V4l2Camera

    return V4l2Camera(uri.number, width_px=size[0], height_px=size[1], fps=settings.fps, clock=clock)


def open_accelerator(models: Models, *, may_fall_back: bool = True) -> Accelerator:
    """Choose what runs the nets; it takes them one by one before it is started."""
    if models.device == "cpu":
        return Processor()
    from edge_runtime.accelerator.edgetpu import EdgeTpu, Limits

    limits = Limits.waiting(models.delegate_wait_s)
    return EdgeTpu(models.device, models.delegate, clock=SystemClock(), strict=not may_fall_back, limits=limits)


def open_net(bundle: Bundle, models: Models, accelerator: Accelerator) -> Interpreter:
    """Open a bundle's net on the processor, and give the accelerator its compiled twin."""
    cpu = open_interpreter(bundle.model, threads=models.threads)
    return accelerator.net(bundle.manifest.kind, bundle.files, cpu)


def open_detector(
    settings: DetectorSettings, models: Models | None = None, accelerator: Accelerator | None = None
) -> Detector:
    """Choose the face detector.

    Args:
        settings: which one.
        models: threads of the faces net, whose signatures are asked for; None = defaults.
        accelerator: runs the faces net; None = the processor.

    Raises:
        ModelError: its bundle, its file or its part of OpenCV is missing.
    """
    if settings.kind == "faces":
        from edge_runtime.detectors.faces import FacesDetector

        bundle = faces_bundle(settings, models or Models())
        interpreter = open_net(bundle, models or Models(), accelerator or Processor())
        return FacesDetector(bundle, interpreter, min_face_px=settings.min_face_px, min_score=settings.min_score)
    if settings.kind == "yunet":
        return _yunet(settings, models or Models())
    from edge_runtime.detectors.haar import HaarDetector

    return HaarDetector(min_face_px=settings.min_face_px, search_width_px=settings.search_width_px)


def _yunet(settings: DetectorSettings, models: Models) -> Detector:
    from edge_runtime.detectors.yunet import YunetDetector

    if not settings.model:
        raise DetectorError(
            "detector.model is empty, and YuNet's file is not shipped; "
            "give face_detection_yunet_2023mar.onnx of OpenCV's model zoo with --face-model"
        )
    model, keys = Path(settings.model), trusted_keys(models)
    if keys is not None:
        require_signed_file(model, keys)
    return YunetDetector(
        model,
        min_score=settings.min_score,
        min_face_px=settings.min_face_px,
        search_width_px=settings.search_width_px,
    )


def faces_bundle(settings: DetectorSettings, models: Models) -> Bundle:
    """Load the configured bundle, the activated one, or the shipped one that fits the width of the search."""
    return load_chosen("faces", place_of_faces(settings, models), models)


def bundle_of(kind: ModelKind, config: Config) -> Bundle:
    """Load the bundle that a configuration takes for a kind of net."""
    return faces_bundle(config.detector, config.models) if kind == "faces" else open_bundle(kind, config.models)


def open_sinks(config: Config, clock: Clock, *, live: bool, inbox: Inbox | None = None) -> list[Sink]:
    """Choose the sinks; they open in their `with`. What they receive for the main loop goes into `inbox`."""
    sinks: list[Sink] = []
    if config.console.enabled:
        from edge_runtime.sinks.console import ConsoleSink

        sinks.append(ConsoleSink(config.console, origin_s=clock.monotonic() if live else 0.0))
    if config.log.file:
        from edge_runtime.sinks.jsonl import JsonlSink

        sinks.append(JsonlSink(config.log, clock=clock))
    if config.mqtt.host:
        from edge_runtime.outbox import Outbox
        from edge_runtime.sinks.mqtt import MqttSink

        outbox = Outbox(config.outbox, clock=clock) if config.outbox.path else None
        sinks.append(MqttSink(config.mqtt, device_id=device_id(config), clock=clock, outbox=outbox, inbox=inbox))
    return sinks


def open_web(
    web: Web, clock: Clock, heartbeat: Heartbeat, pipeline: FramePipeline, sinks: list[Sink], *, live: bool
) -> WebParts:
    """Build the web server; it listens in its `with`."""
    from edge_runtime.web.opening import assemble

    return assemble(
        web,
        clock=clock,
        heartbeat=heartbeat,
        times=pipeline.times,
        fallbacks=pipeline.parts.accelerator.fallbacks,
        sinks=sinks,
        live=live,
    )


def tracker_of(config: Config) -> TrackerSettings:
    """Take the tracker's settings; in a single picture a face counts at once, for it is not detected again."""
    uri = known_source(config.source.uri)
    if uri and uri.kind == "pictures" and Path(uri.location).is_file():
        return msgspec.structs.replace(config.tracker, min_hits=1)
    return config.tracker


def resolved_policy(policy: Policy, bundle: Bundle) -> Policy:
    """Fill what the configuration leaves open with what the emotion bundle says."""
    learnt = bundle.manifest.policy
    resolved = msgspec.structs.replace(
        policy,
        enter=learnt.enter if policy.enter is None else policy.enter,
        exit=learnt.exit if policy.exit is None else policy.exit,
        window_s=learnt.window_s if policy.window_s is None else policy.window_s,
    )
    if (resolved.exit or 0.0) > (resolved.enter or 0.0):
        raise ConfigError(
            f"policy.exit = {resolved.exit}: expected at most policy.enter = {resolved.enter}; "
            f"a label would end the moment it starts"
        )
    return resolved


def thresholds_of(policy: Policy) -> Thresholds:
    """Take the event policy's part of a resolved policy."""
    return Thresholds(
        enter=policy.enter or 0.0,
        exit=policy.exit or 0.0,
        min_frames=policy.min_frames,
        min_time_s=policy.min_time_s,
        hold_s=policy.hold_s,
    )
