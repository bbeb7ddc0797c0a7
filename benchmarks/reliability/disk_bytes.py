"""What an event costs the SD card: bytes that reach the disk, with one event in a commit and with ten."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Final

from benchmarks.reliability.ledger import Ledger, Shown
from edge_runtime.clock import SystemClock
from edge_runtime.outbox import Outbox
from edge_runtime.settings import Outbox as Settings
from tests.samples import event_message

GROUPS: Final = (1, 10)
"""Events in one commit."""

LARGEST_BYTES: Final = {1: 32_768, 10: 8_192}
"""What one event may cost, by events in a commit: 8 pages for one alone, 2 for one among ten."""

BATCH: Final = 50


def play(ledger: Ledger, count: int) -> None:
    """Commit until `count` commits of every group are measured."""
    while ledger.rounds < count:
        batch = min(BATCH, count - ledger.rounds)
        with tempfile.TemporaryDirectory() as folder:
            for group in GROUPS:
                ledger.counts[f"bytes_{group}"] += written_bytes_of(Path(folder) / f"{group}.db", group, batch, ledger)
                ledger.counts[f"events_{group}"] += group * batch
        ledger.end_rounds(batch)


def shown(ledger: Ledger) -> list[Shown]:
    """Tell bytes an event and how long acceptance takes."""
    payload = len(event_message().to_json())
    lines = []
    for group in GROUPS:
        cost = ledger.counts[f"bytes_{group}"] / ledger.counts[f"events_{group}"]
        limit = LARGEST_BYTES[group]
        what = f"bytes written for an event of {payload} bytes, {group} in a commit"
        lines.append(Shown(what, f"{cost:,.0f}", f"< {limit:,}", holds=0 < cost < limit))
    accepted = ledger.spread("accepted_ms")
    wanted = "p95 < 1000 ms"
    lines.append(
        Shown(
            "from append to accepted, one event alone", accepted.told("ms", 1), wanted, holds=accepted.at(0.95) < 1000
        )
    )
    return lines


def written_bytes_of(path: Path, group: int, commits: int, ledger: Ledger) -> int:
    """Commit so often, and return the bytes that this process had written to a disk meanwhile."""
    before = written_bytes("self")
    with Outbox(Settings(path=str(path), commit_ms=10), clock=SystemClock()) as outbox:
        for number in range(commits):
            begun = time.perf_counter()
            for place in range(group):
                outbox.append(event_message(number * group + place + 1))
            outbox.flush(60.0)
            if group == 1:
                ledger.spread("accepted_ms").add(1000.0 * (time.perf_counter() - begun))
    return written_bytes("self") - before


def written_bytes(process: int | str) -> int:
    """Return what a process has had written to block devices; 0 where that is not counted (a file system in memory)."""
    for line in Path(f"/proc/{process}/io").read_text(encoding="ascii").splitlines():
        if line.startswith("write_bytes:"):
            return int(line.partition(":")[2])
    return 0
