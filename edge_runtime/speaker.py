"""Who speaks in events and statuses: names of the device, the source, the nets and what runs them."""

from __future__ import annotations

from edge_runtime._version import __version__
from edge_runtime.condition import About
from edge_runtime.config import device_id
from edge_runtime.events import Identity
from edge_runtime.interfaces import Source
from edge_runtime.payloads import ModelPayload
from edge_runtime.pipeline import FramePipeline
from edge_runtime.settings import Config


def identity_of(config: Config, pipeline: FramePipeline, source: Source, boot_id: str) -> Identity:
    """Say who speaks in the events."""
    emotion = pipeline.parts.emotion
    return Identity(
        device_id=device_id(config),
        source=source.name,
        boot_id=boot_id,
        model=ModelPayload(
            name=emotion.manifest.name,
            version=emotion.manifest.version,
            sha256=emotion.sha256,
            runtime=emotion.interpreter.runtime,
            accelerator=emotion.interpreter.device,
        ),
    )


def about_of(identity: Identity, pipeline: FramePipeline) -> About:
    """Say what every status says of the device itself."""
    parts = pipeline.parts
    models = {"keypoints": parts.keypoints.manifest, "emotion": parts.emotion.manifest}
    own_net = getattr(parts.detector, "manifest", None)  # haar and yunet have none
    if own_net is not None:
        models["faces"] = own_net
    return About(
        device_id=identity.device_id,
        boot_id=identity.boot_id,
        accelerator=parts.accelerator.label,
        models={kind: f"{manifest.name} {manifest.version}" for kind, manifest in models.items()},
        versions={"emotion-edge": __version__, "runtime": identity.model.runtime},
    )
