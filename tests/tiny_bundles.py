"""Small whole bundles of tiny models, as folders or zips, for tests that load, damage or run them."""

from __future__ import annotations

import hashlib
import io
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from edge_runtime.bundle import GOLDEN_FILE, LABELS_FILE, MANIFEST_FILE, MODEL_FILE, SUMS_FILE
from edge_runtime.contract import EMOTION_LABELS, INPUT_SIZE_PX, KEYPOINT_COUNT, KEYPOINT_NAMES
from tests.tiny_tflite import QUARTERS, TinyModel, quarters

_PICTURES = (quarters(0, 64, 128, 192), quarters(255, 0, 17, 96), quarters(30, 31, 32, 33))


@dataclass(frozen=True)
class TinyBundle:
    """Contents of a right bundle; tests change what they are about."""

    model: TinyModel
    manifest: dict[str, Any]
    labels: tuple[str, ...]
    changed: dict[str, bytes] = field(default_factory=dict)
    """Files to add or to put in the place of right ones; SHA256SUMS is made for them."""

    def files(self) -> dict[str, bytes]:
        """Contents by name, SHA256SUMS included."""
        files = {
            MODEL_FILE: self.model.to_bytes(),
            MANIFEST_FILE: msgspec.json.encode(self.manifest),
            LABELS_FILE: "\n".join(self.labels).encode() + b"\n",
            GOLDEN_FILE: _golden(self.model),
            **self.changed,
        }
        return files | {SUMS_FILE: sums(files)}

    def write_folder(self, folder: Path) -> Path:
        """Write a bundle folder."""
        folder.mkdir(parents=True)
        for name, content in self.files().items():
            (folder / name).write_bytes(content)
        return folder

    def write_zip(self, path: Path) -> Path:
        """Write one stored zip."""
        return write_zip(path, self.files())


def emotion_bundle(**changes: Any) -> TinyBundle:  # noqa: ANN401  JSON
    """Make an emotion bundle; `changes` replace keys of its manifest."""
    return TinyBundle(TinyModel(), _manifest("emotion", EMOTION_LABELS) | changes, EMOTION_LABELS)


def keypoint_bundle(**changes: Any) -> TinyBundle:  # noqa: ANN401  JSON
    """Make a keypoints bundle whose net answers two dense outputs per point; `changes` replace keys of its manifest."""
    weights = np.arange(2 * KEYPOINT_COUNT * QUARTERS, dtype=np.int8).reshape(2 * KEYPOINT_COUNT, QUARTERS) % 5
    return TinyBundle(TinyModel(weights=weights), _manifest("keypoints", KEYPOINT_NAMES) | changes, KEYPOINT_NAMES)


def sums(files: dict[str, bytes]) -> bytes:
    """Write SHA256SUMS as sha256sum(1) does."""
    lines = [f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in sorted(files.items())]
    return "".join(lines).encode()


def write_zip(path: Path, files: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> Path:
    """Write a zip of given files."""
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), content, compression)
    return path


def flipped(content: bytes, position: int, bit: int = 0) -> bytes:
    """Change one bit."""
    damaged = bytearray(content)
    damaged[position] ^= 1 << bit
    return bytes(damaged)


def _manifest(kind: str, labels: tuple[str, ...]) -> dict[str, Any]:
    outputs = len(labels) if kind == "emotion" else 2 * len(labels)
    return {
        "schema": "emotion-edge.model/1",
        "kind": kind,
        "name": f"tiny-{kind}",
        "version": "1.2.3",
        "created_at": "2026-01-01T00:00:00Z",
        "input": {"shape": [1, INPUT_SIZE_PX, INPUT_SIZE_PX, 1]},
        "output": {"shape": [1, outputs], "names": list(labels) if kind == "emotion" else []},
        "labels": list(labels),
        "policy": {"temperature": 2.0, "enter": 0.6, "exit": 0.4, "window_s": 0.0},
        "quantization": {"mode": "int8", "calibration_count": 3},
    }


def _golden(model: TinyModel) -> bytes:
    answers = np.concatenate([model.answer(picture) for picture in _PICTURES])
    target = io.BytesIO()
    np.savez(target, inputs=np.stack(_PICTURES), output_0=answers)
    return target.getvalue()
