"""Faces in, keypoints and emotions out, on a small computer beside a camera.

    import edge_runtime as er

    with er.open_source("clip.mp4") as source, er.Pipeline.from_builtin() as pipeline:
        for frame in source.frames():
            for face in pipeline.process(frame).faces:
                print(face.track_id, face.emotion.label, face.keypoints["nose_tip"])

Names are loaded when they are first used, so that `import edge_runtime` costs next to nothing on a small board.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from edge_runtime._version import __version__

if TYPE_CHECKING:
    from edge_runtime.config import load_config
    from edge_runtime.contract import EMOTION_LABELS, KEYPOINT_NAMES
    from edge_runtime.datatypes import Emotion, Face, FaceBox, Frame, Keypoints, Observation
    from edge_runtime.errors import EdgeRuntimeError
    from edge_runtime.geometry import Box
    from edge_runtime.program import run
    from edge_runtime.settings import Config
    from edge_runtime.wiring import Pipeline, open_source

_HOMES = {
    "Box": "geometry",
    "Config": "settings",
    "EMOTION_LABELS": "contract",
    "EdgeRuntimeError": "errors",
    "Emotion": "datatypes",
    "Face": "datatypes",
    "FaceBox": "datatypes",
    "Frame": "datatypes",
    "KEYPOINT_NAMES": "contract",
    "Keypoints": "datatypes",
    "Observation": "datatypes",
    "Pipeline": "wiring",
    "load_config": "config",
    "open_source": "wiring",
    "run": "program",
}

__all__ = [
    "EMOTION_LABELS",
    "KEYPOINT_NAMES",
    "Box",
    "Config",
    "EdgeRuntimeError",
    "Emotion",
    "Face",
    "FaceBox",
    "Frame",
    "Keypoints",
    "Observation",
    "Pipeline",
    "__version__",
    "load_config",
    "open_source",
    "run",
]


def __getattr__(name: str) -> object:
    """Load a public name from its module on first use."""
    if name not in _HOMES:
        raise AttributeError(f"module 'edge_runtime' has no attribute {name!r}; it has {', '.join(__all__)}")
    return getattr(importlib.import_module(f"edge_runtime.{_HOMES[name]}"), name)
