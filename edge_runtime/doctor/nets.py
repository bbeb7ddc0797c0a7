"""The nets and the detector: each bundle is verified, opened on the configured device and, the detector, run once."""

from __future__ import annotations

import numpy as np

from edge_runtime.contract import SHIPPED_KINDS, ModelKind
from edge_runtime.doctor.finding import Finding, guarded, ok
from edge_runtime.interpreter import open_interpreter
from edge_runtime.settings import Config
from edge_runtime.wiring import Pipeline, bundle_of, open_detector


def look(config: Config) -> list[Finding]:
    """Look at each net and at the detector on the processor, then at all of them on the configured device."""
    kinds = [kind for kind in SHIPPED_KINDS if kind != "faces" or config.detector.kind == "faces"]
    nets = [guarded(kind, lambda kind=kind: _net(kind, config)) for kind in kinds]  # type: ignore[misc]
    found = [*nets, guarded("detector", lambda: _detector(config))]
    return found if config.models.device == "cpu" else [*found, guarded("nets", lambda: _accelerated(config))]


def _net(kind: ModelKind, config: Config) -> Finding:
    bundle = bundle_of(kind, config)
    interpreter = open_interpreter(bundle.model, threads=config.models.threads)
    name = f"{bundle.manifest.name} {bundle.manifest.version}"
    return ok(kind, f"{name} on {interpreter.runtime} ({interpreter.device})")


def _detector(config: Config) -> Finding:
    detector = open_detector(config.detector, config.models)
    detector.detect(np.zeros((120, 160), np.uint8))
    return ok("detector", detector.name)


def _accelerated(config: Config) -> Finding:
    """Load every net into the accelerator's own process; none may stay on the processor."""
    with Pipeline.from_config(config, may_fall_back=False) as pipeline:
        return ok("nets", f"all on {pipeline.parts.accelerator.label}")
