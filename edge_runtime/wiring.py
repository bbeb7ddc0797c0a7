"""The only file that names concrete back-ends: from settings to a source, a pipeline and sinks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from edge_runtime.bundle import Bundle, builtin_bundle_path, load_bundle
from edge_runtime.config import load_config
from edge_runtime.contract import ModelKind
from edge_runtime.errors import ConfigError
from edge_runtime.interpreter import open_interpreter
from edge_runtime.models import EmotionModel, KeypointModel
from edge_runtime.pipeline import FramePipeline, PipelineParts
from edge_runtime.policy import Thresholds
from edge_runtime.settings import Config, Models, Policy
from edge_runtime.tracker import Tracker

if TYPE_CHECKING:
    from typing_extensions import Self


class Pipeline(FramePipeline):
    """The chain of a configuration: detector, tracker and both nets."""

    @classmethod
    def from_builtin(cls) -> Self:
        """Build it from the shipped models and the default settings."""
        return cls.from_config(load_config())

    @classmethod
    def from_config(cls, config: Config) -> Self:
        """Build it from settings; ModelError when a model or the detector cannot be used."""
        emotion_bundle = open_bundle("emotion", config.models)
        keypoint_bundle = open_bundle("keypoints", config.models)
        parts = PipelineParts(
            detector=open_detector(config.detector),
            keypoints=KeypointModel(keypoint_bundle, _interpreter(keypoint_bundle, config.models)),
            emotion=EmotionModel(emotion_bundle, _interpreter(emotion_bundle, config.models)),
            tracker=Tracker(config.tracker),
            policy=resolved_policy(config.policy, emotion_bundle),
            every_n_frames=config.detector.every_n_frames,
        )
        return cls(parts)

    def __enter__(self) -> Self:
        """Hold the nets; they need no opening."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Let them go with this object."""


def open_bundle(kind: ModelKind, models: Models) -> Bundle:
    """Load the configured or the shipped bundle of a kind."""
    configured = {"keypoints": models.keypoints, "emotion": models.emotion}.get(kind, "")
    return load_bundle(Path(configured) if configured else builtin_bundle_path(kind), kind=kind)


def _interpreter(bundle: Bundle, models: Models) -> "TfliteInterpreter":  # noqa: UP037
    return open_interpreter(bundle.model, threads=models.threads, device=models.device)


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
