"""The nets and the detector: each bundle is verified, opened on the configured device and, the detector, run once."""

from __future__ import annotations

import numpy as np

from edge_runtime.contract import SHIPPED_KINDS, ModelKind
from edge_runtime.doctor.finding import Finding, guarded, ok
from edge_runtime.interpreter import open_interpreter
from edge_runtime.settings import Config
from edge_runtime.wiring import open_bundle, open_detector


def look(config: Config) -> list[Finding]:
    """Look at each net and at the detector."""
    nets = [guarded(kind, lambda kind=kind: _net(kind, config)) for kind in SHIPPED_KINDS]  # type: ignore[misc]
    return [*nets, guarded("detector", lambda: _detector(config))]


def _net(kind: ModelKind, config: Config) -> Finding:
    bundle = open_bundle(kind, config.models)
    interpreter = open_interpreter(bundle.model, threads=config.models.threads, device=config.models.device)
    name = f"{bundle.manifest.name} {bundle.manifest.version}"
    return ok(kind, f"{name} on {interpreter.runtime} ({interpreter.device})")


def _detector(config: Config) -> Finding:
    detector = open_detector(config.detector, config.models)
    detector.detect(np.zeros((120, 160), np.uint8))
    return ok("detector", detector.name)
