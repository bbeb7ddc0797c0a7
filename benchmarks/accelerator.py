"""What the Edge TPU's own process costs, and how long a frame takes that loses it. A stand-in library, no Edge TPU."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.environment import ROOT, megabytes, percentiles, write
from edge_runtime.accelerator.edgetpu import EdgeTpu, Limits
from edge_runtime.bundle import COMPILED_MARK, EDGETPU_FILE
from edge_runtime.clock import SystemClock
from edge_runtime.interfaces import Interpreter
from edge_runtime.interpreter import open_interpreter
from tests.tiny_tflite import TinyModel

_WARM_UP, _RUNS, _LOSSES = 100, 2000, 10
_PATIENCE_S = 60.0


def main() -> int:
    """Measure and write results/accelerator.json."""
    logging.disable(logging.WARNING)  # every loss is told, as it should be
    with tempfile.TemporaryDirectory() as folder:
        library = _library(Path(folder))
        trigger = Path(folder, "trigger")
        os.environ["FAKE_DELEGATE_FILE"] = str(trigger)
        figures: dict[str, Any] = {"call": _call(library)}
        for what in ("abort", "exit", "hang"):
            figures[f"lost by {what}"] = percentiles([_loss(library, trigger, what) for _ in range(_LOSSES)])
    for name, value in figures.items():
        print(name, value)
    write("accelerator", "python -m benchmarks accelerator", figures)
    return 0


def _library(folder: Path) -> Path:
    built = folder / "libfake_edgetpu.so"
    source = ROOT / "tests" / "accelerator" / "fake_delegate.c"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", str(built), str(source), "-lpthread"], check=True)
    return built


def _open(library: Path) -> tuple[EdgeTpu, Interpreter, Interpreter]:
    """Start a device with one net that costs next to nothing: what is left is the way there and back."""
    model = TinyModel().to_bytes()
    limits = Limits(load_s=_PATIENCE_S, patience_s=_PATIENCE_S)
    edgetpu = EdgeTpu("edgetpu", str(library), clock=SystemClock(), limits=limits)
    cpu = open_interpreter(model)
    net = edgetpu.net("tiny", {EDGETPU_FILE: model + COMPILED_MARK}, cpu)
    edgetpu.start()
    if not edgetpu.is_ready:
        raise SystemExit(edgetpu.label)
    return edgetpu, net, cpu


def _call(library: Path) -> dict[str, Any]:
    """Time calls here and there in turns, so that both meet the same load."""
    started = time.monotonic()
    edgetpu, net, cpu = _open(library)
    start_s = time.monotonic() - started
    picture = np.zeros(net.input_shape, np.int8)
    times: dict[str, list[float]] = {"child": [], "in_process": []}
    for _ in range(_WARM_UP + _RUNS):
        for name, interpreter in (("child", net), ("in_process", cpu)):
            before = time.perf_counter()
            interpreter.invoke(picture)
            times[name].append((time.perf_counter() - before) * 1000)
    status = Path(f"/proc/{edgetpu.child_pid}/status").read_text()
    resident_kib = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
    edgetpu.close()
    rows = {name: percentiles(values[_WARM_UP:]) for name, values in times.items()}
    return {**rows, "start_s": round(start_s, 2), "child_resident_mb": round(megabytes(resident_kib), 1)}


def _loss(library: Path, trigger: Path, what: str) -> float:
    """Return milliseconds of the longest call while the device is lost; the call that loses it is among them."""
    edgetpu, net, _ = _open(library)
    picture = np.zeros(net.input_shape, np.int8)
    trigger.write_text(what)
    longest, give_up_at = 0.0, time.monotonic() + _PATIENCE_S
    while edgetpu.is_ready and time.monotonic() < give_up_at:
        before = time.perf_counter()
        net.invoke(picture)
        longest = max(longest, time.perf_counter() - before)
    trigger.unlink()
    edgetpu.close()
    return longest * 1000


if __name__ == "__main__":
    sys.exit(main())
