"""kill -9 of a program that does nothing but fill an outbox: what it accepted must be there.

A kill is cheap: a parent without threads has everything imported and forks a writer for each round. Every writer opens
the file as the one before left it. Parent and writers share no connection, and the parent only reads, so that
recovery is always the product's own.
"""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NoReturn

from benchmarks.reliability.ledger import Ledger, Shown
from edge_runtime.clock import SystemClock
from edge_runtime.outbox import Outbox
from edge_runtime.outbox.store import is_damage
from edge_runtime.settings import Outbox as Settings
from tests.samples import event_message

LONGEST_LIFE_S: Final = 0.1
WORKING: Final = 0.5
"""Share of the writers whose time to the kill begins when their first events are accepted."""
GROUPS: Final = (1, 2, 5, 40)
"""Events between two reports of the writer: a commit of one, of a few, and of many pages."""
ROWS_OF_A_FILE: Final = 4000
"""The file is begun anew when it holds so many, so that checking stays quick."""


@dataclass
class Life:
    """What one writer said before it was killed."""

    accepted: int
    """Number of the last event that it called accepted."""
    opened_ms: float | None = None


def play(ledger: Ledger, count: int) -> None:
    """Kill until `count` kills are counted."""
    rng = random.Random(ledger.rounds)  # noqa: S311
    with tempfile.TemporaryDirectory() as folder:
        path, stored = Path(folder) / "outbox.db", 0
        while ledger.rounds < count:
            life = _live_and_die(path, stored + 1, rng)
            found = check(path, stored, life.accepted, ledger)
            ledger.counts["accepted"] += max(0, life.accepted - stored)
            if life.opened_ms is not None:
                ledger.spread("opening_ms").add(life.opened_ms)
            stored = found
            if stored > ROWS_OF_A_FILE:
                ledger.counts["files"] += 1
                _check_whole(path, stored, ledger)
                stored = 0
            ledger.end_rounds()


def shown(ledger: Ledger) -> list[Shown]:
    """Tell the counts."""
    counts = ledger.counts
    told = f"{counts['lost']} of {counts['accepted']:,} accepted, {ledger.rounds:,} kills"
    damaged = f"{counts['damaged']} damaged, {counts['disordered']} out of order"
    opening = ledger.spread("opening_ms")
    return [
        Shown("accepted events lost, outbox killed with -9", told, "0", holds=counts["lost"] == 0),
        Shown("files after a kill", damaged, "0", holds=not counts["damaged"] and not counts["disordered"]),
        Shown("opening the outbox after a kill", opening.told("ms", 1), "p95 < 2000 ms", holds=opening.at(0.95) < 2000),
    ]


def _live_and_die(path: Path, first: int, rng: random.Random) -> Life:
    """Fork a writer and kill it at a random moment of its life, its birth included, or of its working life."""
    read_end, write_end = os.pipe()
    group = rng.choice(GROUPS)
    child = os.fork()
    if child == 0:
        os.close(read_end)
        _write_for_ever(path, first, group, write_end)
    os.close(write_end)
    with os.fdopen(read_end, "rb") as pipe:
        said = [pipe.readline(), pipe.readline()] if rng.random() < WORKING else []
        time.sleep(rng.uniform(0.0, LONGEST_LIFE_S))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        said = [line for line in (*said, *pipe) if line.endswith(b"\n")]
    if not os.WIFSIGNALED(status):
        raise SystemExit(f"the writer ended by itself with exit code {os.waitstatus_to_exitcode(status)}")
    if not said:
        return Life(first - 1)
    return Life(int(said[-1]) if len(said) > 1 else first - 1, float(said[0]))


def _write_for_ever(path: Path, first: int, group: int, write_end: int) -> NoReturn:
    try:
        begun = time.perf_counter()
        with Outbox(Settings(path=str(path), commit_ms=10), clock=SystemClock()) as outbox:
            os.write(write_end, b"%.3f\n" % (1000.0 * (time.perf_counter() - begun)))
            seq = first
            while True:
                for _ in range(group):
                    outbox.append(event_message(seq))
                    seq += 1
                if outbox.flush(30.0):
                    os.write(write_end, b"%d\n" % (seq - 1))
    finally:
        os._exit(70)


def check(path: Path, stored: int, accepted: int, ledger: Ledger) -> int:
    """Compare what a new start would find with what was said; return the number of the newest event."""
    fresh = _payloads(path, stored, ledger)
    lost = [seq for seq in range(stored + 1, accepted + 1) if seq not in fresh]
    ledger.counts["lost"] += len(lost)
    expected = range(stored + 1, stored + 1 + len(fresh))
    right = all(fresh.get(seq) == event_message(seq).to_json() for seq in expected)
    ledger.counts["disordered"] += not right
    return stored + len(fresh)


def _check_whole(path: Path, stored: int, ledger: Ledger) -> None:
    """Compare every row of a file and have SQLite check all of it; then remove it."""
    found = _payloads(path, 0, ledger)
    ledger.counts["lost"] += sum(found.get(seq) != event_message(seq).to_json() for seq in range(1, stored + 1))
    with sqlite3.connect(path) as database:
        sound = database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    database.close()
    ledger.counts["damaged"] += not sound
    for file in path.parent.glob("outbox.db*"):
        file.unlink()


def _payloads(path: Path, after: int, ledger: Ledger) -> dict[int, bytes]:
    """Read rows without changing the file; the outbox's own numbers are the events' numbers here."""
    ledger.counts["damaged"] += path.with_name("outbox.db.damaged").exists()
    try:
        database = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=30.0)
    except sqlite3.OperationalError:  # killed before the file was there
        return {}
    try:
        return dict(database.execute("SELECT seq, payload FROM outbox WHERE seq > ?", (after,)))
    except sqlite3.Error as error:
        ledger.counts["damaged"] += is_damage(error)
        return {}  # killed before there was a table; anything that was accepted counts as lost
    finally:
        database.close()
