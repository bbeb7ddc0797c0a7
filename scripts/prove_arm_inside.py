"""The part of scripts/prove_arm.py that runs on both processors: every answer of every shipped net.

    python prove_arm_inside.py answers.npz       # writes the answers, prints one JSON object

Needs the installed runtime alone.
"""

from __future__ import annotations

import json
import platform
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

import edge_runtime
from edge_runtime.bundle import load_bundle
from edge_runtime.interpreter import open_interpreter
from edge_runtime.quantization import quantize_pixels

KERNELS = {"reference": True, "optimised": False}
DISTRIBUTIONS = ("ai-edge-litert", "tflite-runtime", "msgspec", "paho-mqtt", "emotion-edge")


def answers(folder: Path) -> tuple[dict[str, NDArray[np.int8]], dict[str, Any]]:
    """Run one bundle over its recorded inputs.

    Returns:
        (N, outputs) int8 for each kernels and output, by `net/kernels/output`; and what ran them.
    """
    bundle = load_bundle(folder)
    golden = bundle.golden()
    inputs = golden["inputs"].astype(np.uint8)
    found: dict[str, NDArray[np.int8]] = {}
    ran: dict[str, Any] = {"kind": bundle.manifest.kind, "version": bundle.manifest.version, "inputs": len(inputs)}
    for index in range(len(golden) - 1):
        found[f"{folder.name}/recorded/{index}"] = golden[f"output_{index}"].astype(np.int8)
    for kernels, reference in KERNELS.items():
        interpreter = open_interpreter(bundle.model, reference_kernels=reference)
        rows = [interpreter.invoke(quantize_pixels(picture)) for picture in inputs]
        for index in range(len(rows[0])):
            found[f"{folder.name}/{kernels}/{index}"] = np.stack([row[index][0] for row in rows])
        ran["runtime"] = interpreter.runtime
        ran[f"{kernels}_uses_xnnpack"] = any(part.name == "DELEGATE" for part in interpreter.operators())
    return found, ran


def installed() -> dict[str, str]:
    """Return the versions of what is there."""
    versions = {"python": platform.python_version(), "numpy": np.__version__, "opencv": cv2.__version__}
    there = {str(found.metadata["Name"]): found.version for found in metadata.distributions()}
    versions |= {name: there[name] for name in DISTRIBUTIONS if name in there}
    return versions


def main() -> None:
    """Write the answers, print what gave them."""
    assets = Path(edge_runtime.__file__).parent / "assets"
    found: dict[str, NDArray[np.int8]] = {}
    nets = {}
    for folder in sorted(path for path in assets.iterdir() if (path / "manifest.json").exists()):
        arrays, nets[folder.name] = answers(folder)
        found.update(arrays)
    np.savez(sys.argv[1], **found)  # type: ignore[arg-type]
    print(json.dumps({"machine": platform.machine(), "installed": installed(), "nets": nets}))


if __name__ == "__main__":
    main()
