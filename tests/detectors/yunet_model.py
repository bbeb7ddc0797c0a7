"""Where YuNet's model file is, if anywhere: it is not part of this repository."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

VARIABLE = "EMOTION_EDGE_YUNET"


def yunet_model() -> Path:
    """Return the path from the environment, or skip the test."""
    if VARIABLE not in os.environ:
        pytest.skip(f"{VARIABLE} is not set: give the path of face_detection_yunet_2023mar.onnx")
    return Path(os.environ[VARIABLE])
