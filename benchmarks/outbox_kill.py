"""kill -9 at random moments: what the outbox accepted must be there afterwards. Also what an event costs the disk.

OUTBOX_KILLS=10000 python -m benchmarks outbox_kill
"""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import tempfile
import time
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.environment import percentiles, write
from edge_runtime.clock import SystemClock
from edge_runtime.outbox import Outbox
from edge_runtime.payloads import OutMessage
from edge_runtime.settings import Outbox as Settings
from tests.samples import event

EVENTS_BETWEEN_REPORTS = 5
LONGEST_LIFE_S = 0.15
COMMITS_MEASURED = 100
CHECK_ROWS = 20_000
"""The file is begun anew when it holds so many rows, so that checking stays quick."""


def main() -> int:
    """Kill, check, measure; write benchmarks/results/outbox_kill.json."""
    kills = int(os.environ.get("OUTBOX_KILLS", "300"))
    with tempfile.TemporaryDirectory() as folder:
        figures = _kill_often(Path(folder), kills, random.Random(1))  # noqa: S311
        figures["disk"] = {
            "one_event_a_commit": _cost(Path(folder) / "one.db", events_a_commit=1),
            "ten_events_a_commit": _cost(Path(folder) / "ten.db", events_a_commit=10),
        }
    write("outbox_kill", f"OUTBOX_KILLS={kills} python -m benchmarks outbox_kill", figures)
    print({name: value for name, value in figures.items() if name != "disk"})
    return 1 if figures["accepted_and_lost"] or figures["damaged_files"] else 0


def _kill_often(folder: Path, kills: int, rng: random.Random) -> dict[str, Any]:
    path, first, accepted_in_all, lost, disordered = folder / "kill.db", 1, 0, 0, 0
    opening_ms = []
    for _ in range(kills):
        accepted = _run_and_kill(path, first, rng.uniform(0.0, LONGEST_LIFE_S))
        opening_ms.append(_opening_ms(path))
        found = _event_seqs(path)
        lost += len(set(range(1, accepted + 1)) - set(found))
        disordered += found != sorted(set(found))
        accepted_in_all += max(0, accepted - first + 1)
        first = found[-1] + 1 if found else 1
        if len(found) > CHECK_ROWS:
            path.unlink()
            first = 1
    return {
        "kills": kills,
        "accepted": accepted_in_all,
        "accepted_and_lost": lost,
        "files_out_of_order": disordered,
        "damaged_files": len(list(folder.glob("*.damaged"))),
        "opening_after_a_kill": percentiles(opening_ms),
    }


def _run_and_kill(path: Path, first: int, life_s: float) -> int:
    """Fork a writer, let it live, kill it; the last number that it called accepted, first - 1 if none."""
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read_end)
        _write_for_ever(path, first, write_end)
    os.close(write_end)
    time.sleep(life_s)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with os.fdopen(read_end, "rb") as pipe:
        whole = [line for line in pipe if line.endswith(b"\n")]
    return int(whole[-1]) if whole else first - 1


def _write_for_ever(path: Path, first: int, write_end: int) -> None:
    with Outbox(Settings(path=str(path), commit_ms=10), clock=SystemClock()) as outbox:
        seq = first
        while True:
            for _ in range(EVENTS_BETWEEN_REPORTS):
                outbox.append(OutMessage("event", event(seq=seq)))
                seq += 1
            if outbox.flush(30.0):
                os.write(write_end, b"%d\n" % (seq - 1))


def _opening_ms(path: Path) -> float:
    begun = time.perf_counter()
    with Outbox(Settings(path=str(path)), clock=SystemClock()):
        return (time.perf_counter() - begun) * 1000.0


def _event_seqs(path: Path) -> list[int]:
    database = sqlite3.connect(path)
    try:
        rows = database.execute("SELECT payload FROM outbox ORDER BY seq").fetchall()
    finally:
        database.close()
    return [msgspec.json.decode(payload)["seq"] for (payload,) in rows]


def _cost(path: Path, *, events_a_commit: int) -> dict[str, Any]:
    """Bytes that reach the disk for each event, and how long a commit takes, with commits at their quickest."""
    took_ms = []
    count = COMMITS_MEASURED * events_a_commit
    with Outbox(Settings(path=str(path), commit_ms=10), clock=SystemClock()) as outbox:
        before = _written_bytes()
        for number in range(COMMITS_MEASURED):
            for place in range(events_a_commit):
                outbox.append(OutMessage("event", event(seq=number * events_a_commit + place + 1)))
            begun = time.perf_counter()
            outbox.flush(30.0)
            took_ms.append((time.perf_counter() - begun) * 1000.0)
    written = _written_bytes() - before
    payload_bytes = len(OutMessage("event", event()).to_json())
    return {
        "payload_bytes": payload_bytes,
        "written_bytes_an_event": round(written / count),
        "append_to_accepted": percentiles(took_ms),
    }


def _written_bytes() -> int:
    """Return what this process has had written to block devices; 0 where that is not counted (tmpfs)."""
    for line in Path("/proc/self/io").read_text().splitlines():
        if line.startswith("write_bytes:"):
            return int(line.partition(":")[2])
    return 0
