"""Which machine, which commit, which libraries: part of every result."""

from __future__ import annotations

import datetime as dt
import json
import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
_LIBRARIES = ("numpy", "opencv-python-headless", "ai-edge-litert", "tflite-runtime", "msgspec", "paho-mqtt")


def describe() -> dict[str, Any]:
    """Return what a reader must know to compare figures."""
    return {
        "date": dt.datetime.now(dt.timezone.utc).strftime("%Y-%m-%d"),
        "commit": _git("rev-parse", "--short", "HEAD"),
        "changed_files": len(_git("status", "--porcelain", "--untracked-files=no").splitlines()),
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "load_1min": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "libraries": {name: version for name in _LIBRARIES if (version := _version(name))},
    }


def write(name: str, command: str, figures: dict[str, Any]) -> Path:
    """Write one result; `command` is what makes it again."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps({"command": command, "environment": describe(), **figures}, indent=1) + "\n")
    print(f"{path.relative_to(ROOT)} written")
    return path


def percentiles(values_ms: list[float]) -> dict[str, float]:
    """p50 and p95 of milliseconds, with the number of runs."""
    ranked = sorted(values_ms)
    at = [ranked[min(int(share * len(ranked)), len(ranked) - 1)] for share in (0.5, 0.95)]
    return {"p50_ms": round(at[0], 3), "p95_ms": round(at[1], 3), "runs": len(ranked)}


def megabytes(kib: int) -> float:
    """10^6 bytes, as everywhere here; Linux counts memory in KiB."""
    return kib * 1024 / 1e6


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip()


def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith(("model name", "Model")):
            return line.partition(":")[2].strip()
    return platform.machine()


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
