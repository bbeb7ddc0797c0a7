"""Flags that several verbs share, and how they become settings."""

from __future__ import annotations

import argparse
import os
import re
from pathlib import Path
from typing import Any, TypeAlias

from edge_runtime.config import load_config
from edge_runtime.errors import UsageError
from edge_runtime.settings import Config

Verbs: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001
"""What add_subparsers returns; argparse has no public name for it and cannot subscript it while it runs."""


def summary(doc: str | None) -> str:
    """Turn a verb's module docstring into its help text: what stands behind the verb's name."""
    text = (doc or "").partition(": ")[2].strip()
    return text[:1].upper() + text[1:]


def add_json(parser: argparse.ArgumentParser, *, what: str = "print one JSON object instead of text") -> None:
    """Add --json."""
    parser.add_argument("--json", action="store_true", help=what)


def add_config(parser: argparse.ArgumentParser) -> None:
    """Add --config."""
    parser.add_argument("--config", metavar="FILE", help="configuration (default: /etc/emotion-edge/config.toml)")


def add_chain(parser: argparse.ArgumentParser) -> None:
    """Add the flags that choose source, detector and models."""
    parser.add_argument(
        "--source",
        metavar="PATH|URL|camera[:N]|picamera|demo",
        help="video file, folder of pictures, rtsp:// or http:// address, camera, or the built-in demo clip",
    )
    add_nets(parser)


def add_nets(parser: argparse.ArgumentParser) -> None:
    """Add the flags that choose configuration, detector and models."""
    add_config(parser)
    parser.add_argument("--detector", choices=("faces", "yunet", "haar"), help="how faces are found")
    parser.add_argument("--face-model", metavar="FILE", help="a faces bundle, or YuNet's ONNX file (.onnx)")
    parser.add_argument(
        "--emotion-model", metavar="BUNDLE", help="folder or .emodel file (default: the activated or the shipped one)"
    )
    parser.add_argument(
        "--keypoint-model", metavar="BUNDLE", help="folder or .emodel file (default: the activated or the shipped one)"
    )
    parser.add_argument("--device", metavar="cpu|edgetpu[:usb:N|:pci:N]", help="what runs the nets (default: cpu)")


def chain_overrides(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the dotted settings that the flags of add_chain ask for."""
    wanted = {
        "source.uri": arguments.source,
        "detector.kind": arguments.detector or _detector_of(arguments.face_model),
        "detector.model": arguments.face_model,
        "models.emotion": arguments.emotion_model,
        "models.keypoints": arguments.keypoint_model,
        "models.device": arguments.device,
    }
    return {key: value for key, value in wanted.items() if value is not None}


def _detector_of(face_model: str | None) -> str | None:
    """Tell the detector by its file."""
    if face_model is None:
        return None
    return "yunet" if face_model.endswith(".onnx") else "faces"


def configured(arguments: argparse.Namespace, overrides: dict[str, Any] | None = None) -> Config:
    """Load the configuration with this process's environment and the command line on top."""
    return load_config(arguments.config, environment=os.environ, overrides=overrides)


def refuse_same_file(source: str, out: Path) -> None:
    """Raise UsageError where what is written would destroy what is read."""
    try:
        is_same = out.samefile(source)
    except (OSError, ValueError):  # one of them is no file
        return
    if is_same:
        raise UsageError(f"{out}: is the clip itself; give another name")


def split_host(text: str) -> dict[str, Any]:
    """`broker`, `broker:1883` or `[::1]:1883` -> settings of the broker's address."""
    with_port = re.fullmatch(r"([^:\[\]]+|\[[^\[\]]+\])(?::(\d+))?", text)
    bare_ipv6 = re.fullmatch(r"[^\[\]]*:[^\[\]]*:[^\[\]]*", text)
    if not (with_port or bare_ipv6):
        raise UsageError(f"--mqtt {text}: expected HOST or HOST:PORT, for instance localhost or broker.lan:1883")
    host, port = with_port.groups() if with_port else (text, None)
    return {"mqtt.host": host.strip("[]"), **({"mqtt.port": int(port)} if port else {})}


def web_address(text: str) -> dict[str, Any]:
    """`8080`, `0.0.0.0:8080` or `[::1]:8080` -> settings that turn the web server on."""
    host, _, port = text.rpartition(":")
    if not port.isdigit() or (":" in host and not (host.startswith("[") and host.endswith("]"))):
        raise UsageError(f"--web {text}: expected PORT or HOST:PORT, for instance 8080 or 127.0.0.1:8080")
    return {"web.enabled": True, "web.port": int(port), **({"web.host": host.strip("[]")} if host else {})}
