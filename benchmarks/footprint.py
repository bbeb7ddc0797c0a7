"""Size of the light install, seconds to the first event, resident memory: in a new environment, from nothing."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path
from typing import Any

from benchmarks.environment import ROOT, megabytes, write

_STARTS = 5
_PACKAGES = ("edge_runtime", "converter", "firmware_config")


def main() -> int:
    """Measure and write results/footprint.json."""
    with tempfile.TemporaryDirectory() as folder:
        light = _environment(Path(folder) / "light", ".")
        sizes = _sizes(light)
        demo = _environment(Path(folder) / "demo", ".[demo]")
        starts = [start(demo / "bin" / "emotion-edge") for _ in range(_STARTS)]
    figures: dict[str, Any] = {
        "installed": sizes,
        "first_event_s": {"of_each_start": [round(first, 2) for first, _ in starts]},
        "resident_mb_with_demo_source": round(max(memory for _, memory in starts), 1),
    }
    print(figures)
    write("footprint", "python -m benchmarks footprint", figures)
    return 0


def _environment(path: Path, what: str) -> Path:
    venv.create(path, with_pip=True)
    pip = [str(path / "bin" / "pip"), "install", "-qq", "--disable-pip-version-check"]
    subprocess.run([*pip, what], cwd=ROOT, check=True)
    return path


def _sizes(environment: Path) -> dict[str, float]:
    (site,) = environment.glob("lib/python*/site-packages")
    # pip and setuptools come with the environment, not with us.
    ours = sum(_megabytes(site / name) for name in _PACKAGES)
    tools = sum(_megabytes(path) for pattern in ("pip*", "setuptools*", "_distutils*") for path in site.glob(pattern))
    return {"all_mb": round(_megabytes(site) - tools, 1), "own_package_mb": round(ours, 2)}


def _megabytes(path: Path) -> float:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.lstat().st_size for file in files if file.is_file()) / 1e6


def start(program: Path) -> tuple[float, float]:
    """Run the demo; return seconds to its first event and largest resident megabytes of the process."""
    before = time.monotonic()
    command = [str(program), "run", "--source", "demo", "--max-frames", "100"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        if process.stdout is None or not process.stdout.readline():
            raise SystemExit("the demo ended without an event")
        first = time.monotonic() - before
        process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"the demo ended with exit code {process.returncode}")
    return first, megabytes(usage.ru_maxrss)


if __name__ == "__main__":
    sys.exit(main())
