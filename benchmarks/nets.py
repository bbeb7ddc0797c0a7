"""Milliseconds of one invoke of every shipped net, one thread, after a warm-up."""

from __future__ import annotations

import sys
import time

import numpy as np

from benchmarks.environment import percentiles, write
from edge_runtime.bundle import builtin_bundle_path, load_bundle
from edge_runtime.contract import SHIPPED_KINDS
from edge_runtime.interpreter import open_interpreter

_WARM_UP, _RUNS = 50, 1000


def main() -> int:
    """Measure and write results/nets.json."""
    rng = np.random.default_rng(1)
    rows = {}
    for kind in SHIPPED_KINDS:
        bundle = load_bundle(builtin_bundle_path(kind), kind=kind)
        interpreter = open_interpreter(bundle.model, threads=1)
        pictures = rng.integers(-128, 128, (16, *interpreter.input_shape), dtype=np.int8)
        times_ms = []
        for run in range(_WARM_UP + _RUNS):
            started = time.perf_counter()
            interpreter.invoke(pictures[run % len(pictures)])
            times_ms.append((time.perf_counter() - started) * 1000)
        rows[kind] = {
            "model": f"{bundle.manifest.name} {bundle.manifest.version}",
            "bytes": len(bundle.model),
            "runtime": interpreter.runtime,
            **percentiles(times_ms[_WARM_UP:]),
        }
        print(kind, rows[kind])
    write("nets", "python -m benchmarks nets", {"threads": 1, "nets": rows})
    return 0


if __name__ == "__main__":
    sys.exit(main())
