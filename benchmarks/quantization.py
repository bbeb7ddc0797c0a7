"""What quantisation costs: float32, dynamic, float16 and int8 of a trained net, side by side.

    python -m benchmarks quantization --run DIR --data FILE

DIR is a quantised run of `emotion-convert train`; FILE holds faces that were not trained on. Every variant is judged on
the same faces, and timed in a process of its own: one thread, memory after loading and 200 answers.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from benchmarks.environment import write
from converter.answers import float_logits, float_points, int8_logits, int8_points
from converter.comparison import read_faces
from converter.datasets.types import EmotionData, KeypointData
from converter.drafts import run_bundle
from converter.figures import emotion_figures, keypoint_figures
from converter.quantize import trained_net
from converter.run_folder import RunFolder
from converter.tasks import prepare_run
from edge_runtime.bundle import Bundle

_TIMED = """
import json, resource, sys, time
import numpy as np
def resident_mb():
    return int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize() / 1e6
from ai_edge_litert.interpreter import Interpreter
before = resident_mb()
net = Interpreter(model_path=sys.argv[1], num_threads=1)
net.allocate_tensors()
source = net.get_input_details()[0]
picture = np.random.default_rng(1).integers(0, 100, source["shape"]).astype(source["dtype"])
times = []
for _ in range(250):
    net.set_tensor(source["index"], picture)
    start = time.perf_counter()
    net.invoke()
    times.append(1000 * (time.perf_counter() - start))
times = sorted(times[50:])
print(json.dumps({"p50_ms": round(times[100], 3), "p95_ms": round(times[190], 3),
                  "memory_mb": round(resident_mb() - before, 2)}))
"""


def main() -> int:
    """Judge and time every variant, print a table, write results/quantization-KIND.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, required=True, metavar="DIR")
    parser.add_argument("--data", type=Path, required=True, metavar="FILE")
    args = parser.parse_args(sys.argv[2:])
    folder = RunFolder(args.run)
    bundle = run_bundle(folder)
    faces = read_faces(bundle, args.data, folder.labels())
    rows = {}
    for name, model in variants(folder).items():
        rows[name] = {**judged(name, model, bundle, faces), "bytes": len(model), **timed(model)}
        print(name, rows[name], flush=True)
    kind = bundle.manifest.kind
    command = "python -m benchmarks quantization --run RUN --data FILE"
    write(f"quantization-{kind}", command, {"kind": kind, "data": args.data.name, "variants": rows})
    return 0


def variants(folder: RunFolder) -> dict[str, bytes]:
    """Make the .tflite of every kind; int8 and float32 are those of the run."""
    net = trained_net(folder, prepare_run(folder))
    dynamic = tf.lite.TFLiteConverter.from_keras_model(net)
    dynamic.optimizations = [tf.lite.Optimize.DEFAULT]
    half = tf.lite.TFLiteConverter.from_keras_model(net)
    half.optimizations = [tf.lite.Optimize.DEFAULT]
    half.target_spec.supported_types = [tf.float16]
    return {
        "float32": folder.float_tflite_file.read_bytes(),
        "dynamic": bytes(dynamic.convert()),
        "float16": bytes(half.convert()),
        "int8": folder.tflite_file.read_bytes(),
    }


def judged(name: str, model: bytes, bundle: Bundle, faces: EmotionData | KeypointData) -> dict[str, Any]:
    """Return the figures that the variants are compared by."""
    if isinstance(faces, KeypointData):
        points = int8_points(bundle, faces.crops) if name == "int8" else float_points(model, faces.crops)
        figures = keypoint_figures(points, faces.points, faces.source)
        return {key: round(figures[key], 4) for key in ("rmse_px", "nme")}
    logits = int8_logits(bundle, faces.images) if name == "int8" else float_logits(model, faces.images)
    figures = emotion_figures(np.asarray(logits), faces.labels, bundle.manifest.policy)
    return {key: round(figures[key], 4) for key in ("accuracy", "macro_f1", "ece")}


def timed(model: bytes) -> dict[str, float]:
    """Time a .tflite in a process of its own."""
    with tempfile.NamedTemporaryFile(suffix=".tflite") as file:
        file.write(model)
        file.flush()
        done = subprocess.run([sys.executable, "-c", _TIMED, file.name], capture_output=True, text=True, check=True)
    answer: dict[str, float] = json.loads(done.stdout)
    return answer


if __name__ == "__main__":
    sys.exit(main())
