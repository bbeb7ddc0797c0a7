"""Looks at this device as a person would who has to make it run, and says what to do."""

from __future__ import annotations

import itertools
import shutil
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import cv2
import numpy as np

from edge_runtime.capture import captured
from edge_runtime.clock import SystemClock
from edge_runtime.contract import SHIPPED_KINDS
from edge_runtime.errors import EdgeRuntimeError
from edge_runtime.interpreter import open_interpreter
from edge_runtime.settings import Config
from edge_runtime.wiring import open_bundle, open_detector, open_source

_LEAST_FREE_MB = 200
_BROKER_TIMEOUT_S = 3.0
_FRAMES_LOOKED_AT = 5


@dataclass(frozen=True)
class Finding:
    """One line of the report."""

    subject: str
    state: Literal["ok", "warning", "failed", "off"]
    found: str
    remedy: str = ""


def examine(config: Config) -> list[Finding]:
    """Look at everything a run needs; nothing is changed."""
    return [
        _libraries(),
        *(_model(kind, config) for kind in SHIPPED_KINDS),
        _guarded("detector", lambda: _detector(config)),
        _guarded("source", lambda: _source(config)),
        _broker(config),
        _log_file(config),
        _clock(),
        _deployment(config),
    ]


def _guarded(subject: str, look: Callable[[], Finding]) -> Finding:
    """Turn an expected error into a finding; its message ends with the remedy after the last semicolon."""
    try:
        return look()
    except EdgeRuntimeError as error:
        found, _, remedy = str(error).rpartition("; ")
        return Finding(subject, "failed", found or str(error), remedy if found else "")


def _libraries() -> Finding:
    return Finding("libraries", "ok", f"numpy {np.__version__}, OpenCV {cv2.__version__}")


def _model(kind: Literal["keypoints", "emotion", "faces"], config: Config) -> Finding:
    def look() -> Finding:
        bundle = open_bundle(kind, config.models)
        interpreter = open_interpreter(bundle.model, threads=config.models.threads, device=config.models.device)
        name = f"{bundle.manifest.name} {bundle.manifest.version}"
        return Finding(kind, "ok", f"{name} on {interpreter.runtime} ({interpreter.device})")

    return _guarded(kind, look)


def _detector(config: Config) -> Finding:
    detector = open_detector(config.detector, config.models)
    detector.detect(np.zeros((120, 160), np.uint8))
    return Finding("detector", "ok", detector.name)


def _source(config: Config) -> Finding:
    source = open_source(config.source)
    with captured(source, timeout_s=config.source.timeout_s) as frames:
        first = list(itertools.islice(frames, _FRAMES_LOOKED_AT))
    if not first:
        return Finding("source", "failed", f"{source.name}: opens, but gives no frame", "try another --source")
    frame = first[-1]
    found = f"{source.name}: {frame.width} x {frame.height}, mean grey level {frame.pixels.mean():.0f}"
    if frame.pixels.std() < 2:
        return Finding("source", "warning", f"{found}, all of one shade", "take the lens cap off, or check the light")
    return Finding("source", "ok", found)


def _broker(config: Config) -> Finding:
    settings = config.mqtt
    if not settings.host:
        return Finding("broker", "off", "no broker is configured")
    port = settings.port or (8883 if settings.tls else 1883)
    try:
        socket.create_connection((settings.host, port), timeout=_BROKER_TIMEOUT_S).close()
    except OSError as error:
        remedy = "start the broker, or correct mqtt.host and mqtt.port"
        return Finding("broker", "failed", f"{settings.host}:{port}: {error}", remedy)
    return Finding("broker", "ok", f"{settings.host}:{port} answers")


def _log_file(config: Config) -> Finding:
    if not config.log.file:
        return Finding("log file", "off", "no log file is configured")
    folder = Path(config.log.file).resolve().parent
    if not folder.is_dir():
        return Finding("log file", "failed", f"{folder}: no such folder", f"mkdir -p {folder}")
    free_mb = shutil.disk_usage(folder).free / 1e6
    if free_mb < _LEAST_FREE_MB:
        return Finding("log file", "warning", f"{folder}: {free_mb:.0f} MB free", "make room, or lower log.keep")
    return Finding("log file", "ok", f"{folder}: {free_mb / 1000:.1f} GB free")


def _clock() -> Finding:
    if SystemClock().synchronized():
        return Finding("clock", "ok", "synchronized")
    remedy = "timedatectl set-ntp true; until then events carry clock_synced = false"
    return Finding("clock", "warning", "not known to be synchronized", remedy)


def _deployment(config: Config) -> Finding:
    context = config.deployment.context
    if context == "unspecified":
        remedy = "set deployment.context, see docs/privacy.md"
        return Finding("deployment", "warning", "where faces are read is not stated", remedy)
    return Finding("deployment", "ok", context)
