"""`emotion-edge version`: this program, its models and the libraries that run them."""

from __future__ import annotations

import argparse
import json
import platform
from importlib import metadata

from edge_runtime._version import __version__
from edge_runtime.cli.options import Verbs, add_json, summary

_LIBRARIES = (
    "numpy",
    "opencv-python-headless",
    "opencv-python",
    "ai-edge-litert",
    "tflite-runtime",
    "msgspec",
    "paho-mqtt",
)


def add(verbs: Verbs) -> None:
    """Add the verb."""
    parser = verbs.add_parser("version", help="print versions", description=summary(__doc__))
    add_json(parser)
    parser.set_defaults(main=main)


def main(arguments: argparse.Namespace) -> int:
    """Print versions."""
    found = {"emotion-edge": __version__, "python": platform.python_version(), "machine": platform.machine()}
    found |= {name: version for name in _LIBRARIES if (version := _version(name))}
    found |= _models()
    if arguments.json:
        print(json.dumps(found))
    else:
        print("\n".join(f"{name:24} {version}" for name, version in found.items()))
    return 0


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _models() -> dict[str, str]:
    from edge_runtime.bundle import builtin_bundle_path, load_bundle
    from edge_runtime.contract import SHIPPED_KINDS, ModelKind
    from edge_runtime.errors import ModelError

    def shipped(kind: ModelKind) -> str:
        try:
            manifest = load_bundle(builtin_bundle_path(kind), kind=kind).manifest
        except ModelError as error:
            return f"unusable: {error}"
        return f"{manifest.name} {manifest.version}"

    return {f"{kind} model": shipped(kind) for kind in SHIPPED_KINDS}
