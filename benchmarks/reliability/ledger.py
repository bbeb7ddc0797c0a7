"""What a row has found so far, kept in its result file: a second call goes on where the first one ended."""

from __future__ import annotations

import json
import math
import shutil
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.environment import RESULTS, describe

STEP: Final = 1.02
"""A spread keeps counts by bins, each 2 % wider than the one before: percentiles are right to 1 %."""

SAVE_EVERY_S: Final = 5.0


@dataclass(frozen=True)
class Shown:
    """One line of the page: what was looked for, what was found, and whether that is good enough."""

    what: str
    found: str
    wanted: str
    holds: bool


class Spread:
    """Percentiles of positive numbers without keeping the numbers."""

    def __init__(self, kept: dict[str, Any] | None = None) -> None:
        """Go on from what `as_json` gave, or start empty."""
        kept = kept or {"bins": {}, "max": 0.0}
        self.bins = Counter({int(name): count for name, count in kept["bins"].items()})
        self.max: float = kept["max"]

    def add(self, value: float) -> None:
        """Count one number."""
        self.bins[round(math.log(max(value, 1e-6), STEP))] += 1
        self.max = max(self.max, value)

    def at(self, share: float) -> float:
        """Return a percentile, 0 <= share <= 1; NaN of nothing."""
        left = share * self.runs
        for name, count in sorted(self.bins.items()):
            left -= count
            if left <= 0:
                return min(float(STEP**name), self.max)
        return math.nan

    @property
    def runs(self) -> int:
        """How many numbers were counted."""
        return sum(self.bins.values())

    def told(self, unit: str, digits: int = 2) -> str:
        """Say it in a table."""
        p50, p95, largest = (f"{value:.{digits}f}" for value in (self.at(0.5), self.at(0.95), self.max))
        return f"p50 {p50}, p95 {p95}, max {largest} {unit} ({self.runs:,} runs)"

    def as_json(self) -> dict[str, Any]:
        """Return what the constructor takes, and the percentiles for a reader."""
        percentiles = {f"p{round(100 * share)}": round(self.at(share), 4) for share in (0.5, 0.95, 0.99) if self.runs}
        return {**percentiles, "max": self.max, "runs": self.runs, "bins": dict(sorted(self.bins.items()))}


class Ledger:
    """Counts, spreads and facts of one row."""

    def __init__(self, row: str, command: str, path: Path | None = None) -> None:
        """Read what an earlier call left.

        Args:
            row: its name.
            command: what makes the figures again.
            path: the result file; None = benchmarks/results/reliability-ROW.json.
        """
        self.row, self.command = row, command
        self.path = path or RESULTS / f"reliability-{row}.json"
        kept = json.loads(self.path.read_text(encoding="utf-8")) if self.path.exists() else {}
        self.rounds: int = kept.get("rounds", 0)
        self.counts = Counter[str](kept.get("counts", {}))
        self.facts: dict[str, Any] = kept.get("facts", {})
        """What is no count: settings of the row, figures of single steps."""
        self.shown: list[Shown] = [Shown(**line) for line in kept.get("shown", [])]
        self._spreads = {name: Spread(spread) for name, spread in kept.get("spreads", {}).items()}
        self._commits: list[str] = kept.get("commits", [])
        self._environment: dict[str, Any] = kept.get("environment", {})
        self._now = describe()
        self._save_at = time.monotonic() + SAVE_EVERY_S

    def spread(self, name: str) -> Spread:
        """Return one by name; an empty one if it is new."""
        return self._spreads.setdefault(name, Spread())

    def end_rounds(self, count: int = 1) -> None:
        """Count rounds that were played and checked to their end; saves now and then."""
        self.rounds += count
        self._environment = self._now
        commit = self._environment["commit"]
        self._commits = [*(known for known in self._commits if known != commit), commit]
        if time.monotonic() >= self._save_at:
            self.save()

    def save(self) -> None:
        """Write the result file as a whole or not at all."""
        self._save_at = time.monotonic() + SAVE_EVERY_S
        result = {
            "row": self.row,
            "command": self.command,
            "environment": self._environment,
            "commits": self._commits,
            "rounds": self.rounds,
            "shown": [vars(line) for line in self.shown],
            "counts": dict(self.counts),
            "facts": self.facts,
            "spreads": {name: spread.as_json() for name, spread in self._spreads.items()},
        }
        self.path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.path.with_suffix(".new")
        fresh.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
        shutil.move(fresh, self.path)
