"""A process seen from outside, in /proc: memory, open descriptors, bytes written, while its log grows."""

from __future__ import annotations

import statistics
import subprocess
import time
from pathlib import Path
from typing import Any, Final

from benchmarks.environment import megabytes
from benchmarks.reliability.disk_bytes import written_bytes
from benchmarks.reliability.ledger import Ledger, Shown
from benchmarks.reliability.program import TIMEOUT_S, Place

SAMPLES: Final = 200
"""Looks at the process, spread over its observations."""
SETTLED: Final = 0.25
"""Share of the run after which memory is expected to stand still."""
LARGEST_MB: Final = 150.0
LARGEST_GAIN_MB: Final = 1.0
LARGEST_BYTES: Final = 8192.0


def watch(where: Place, program: subprocess.Popen[bytes], observations: int, ledger: Ledger) -> None:
    """Look at a program until it has logged so many observations and ended well; facts go to the ledger."""
    samples: list[dict[str, Any]] = []
    seen = {"observations": 0, "events": 0, "log_bytes": 0}
    while program.poll() is None:
        _count_log(where, seen)
        if observations > seen["observations"] >= observations * len(samples) / SAMPLES:
            sample = _sample(program)
            if sample is not None:
                samples.append({"done": seen["observations"] / observations, **seen, **sample})
        where.listener.drain()
        time.sleep(0.05)
    program.communicate(timeout=TIMEOUT_S)
    _count_log(where, seen)
    if program.returncode != 0 or seen["observations"] != observations:
        said = (where.folder / "stderr").read_text(encoding="utf-8")[-1000:]
        raise SystemExit(
            f"exit code {program.returncode}, {seen['observations']} of {observations} observations: {said}"
        )
    samples[-1].update(seen)
    ledger.facts["samples"] = samples


def told(ledger: Ledger, what: str) -> list[Shown]:
    """Tell memory, descriptors and bytes of what was watched."""
    samples = ledger.facts["samples"]
    settled = [sample for sample in samples if sample["done"] >= SETTLED]
    largest = max(sample["resident_mb"] for sample in samples)
    gain = slope_of([(sample["done"], sample["resident_mb"]) for sample in settled])
    descriptors = gained(settled)
    last = samples[-1]
    cost = last["written_bytes"] / (last["observations"] + last["events"])
    run = f"{what}, {last['observations']:,} observations and {last['events']:,} events"
    return [
        Shown(f"largest resident memory: {run}", f"{largest:.1f} MB", "< 150 MB", holds=largest < LARGEST_MB),
        Shown("its growth over that run, fitted", f"{gain:+.2f} MB", "< 1 MB", holds=gain < LARGEST_GAIN_MB),
        Shown("growth of its open descriptors", f"{descriptors:+g}", "0", holds=descriptors <= 0),
        Shown("bytes it wrote for each of them", f"{cost:,.0f}", "< 8192", holds=0 < cost < LARGEST_BYTES),
    ]


def gained(samples: list[dict[str, Any]]) -> float:
    """Compare the medians of the first and the last third: some files are open for a moment only."""
    third = max(1, len(samples) // 3)
    counts: list[int] = [sample["descriptors"] for sample in samples]
    return float(statistics.median(counts[-third:]) - statistics.median(counts[:third]))


def slope_of(points: list[tuple[float, float]]) -> float:
    """Fit a line by least squares; return what y gains over x from 0 to 1."""
    mean_x, mean_y = (sum(values) / len(points) for values in zip(*points, strict=True))
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    return float(sum((x - mean_x) * (y - mean_y) for x, y in points) / spread)


def _count_log(where: Place, seen: dict[str, int]) -> None:
    """Count the whole lines that the log has gained since the last call."""
    if not where.log.exists():
        return
    with where.log.open("rb") as log:
        log.seek(seen["log_bytes"])
        fresh = log.read()
    fresh = fresh[: fresh.rfind(b"\n") + 1]
    seen["log_bytes"] += len(fresh)
    seen["observations"] += fresh.count(b'"emotion-edge.observation/1"')
    seen["events"] += fresh.count(b'"emotion-edge.event/1"')


def _sample(program: subprocess.Popen[bytes]) -> dict[str, Any] | None:
    """Look at a process; None when it has just ended."""
    try:
        status = Path(f"/proc/{program.pid}/status").read_text(encoding="utf-8")
        resident_kib = int(status.partition("VmRSS:")[2].split()[0])
        descriptors = len(list(Path(f"/proc/{program.pid}/fd").iterdir()))
        return {
            "resident_mb": round(megabytes(resident_kib), 2),
            "descriptors": descriptors,
            "written_bytes": written_bytes(program.pid),
        }
    except (OSError, IndexError):
        return None
