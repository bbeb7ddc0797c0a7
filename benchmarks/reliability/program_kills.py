"""kill -9 of the whole program at random moments after its first event; the next start finds and delivers everything.

A batch is a folder, a broker and a number of kills; the outbox and the log go on over all of them. What counts as
accepted is what is committed in the file after a kill. At the end of a batch all of it must have reached the
subscriber.
"""

from __future__ import annotations

import random
import signal
import tempfile
import time
from pathlib import Path
from typing import Final

import msgspec

from benchmarks.reliability.ledger import Ledger, Shown
from benchmarks.reliability.program import TIMEOUT_S, EventKey, Place, cpu_s, key_of, place, running, wait_for_event
from edge_runtime.sinks.jsonl import read_lines

BATCH: Final = 20
LONGEST_LIFE_S: Final = 0.8
"""From the first event to the kill."""


def play(ledger: Ledger, count: int) -> None:
    """Kill until `count` kills are counted; a batch that is interrupted does not count."""
    rng = random.Random(ledger.rounds)  # noqa: S311
    while ledger.rounds < count:
        batch = min(BATCH, count - ledger.rounds)
        with tempfile.TemporaryDirectory() as folder, place(Path(folder) / "place") as where:
            _play_batch(where, batch, rng, ledger)
        ledger.end_rounds(batch)


def shown(ledger: Ledger) -> list[Shown]:
    """Tell the counts."""
    counts, start, cpu = ledger.counts, ledger.spread("start_s"), ledger.spread("start_cpu_s")
    lost = f"{counts['lost']} of {counts['accepted']:,} accepted, {ledger.rounds:,} kills"
    torn = f"{counts['torn_taken']} of {counts['torn']} torn lines, {counts['records']:,} whole ones"
    return [
        Shown("accepted events lost, whole program killed with -9", lost, "0", holds=counts["lost"] == 0),
        Shown("torn lines of the log taken for a record", torn, "0", holds=counts["torn_taken"] == 0),
        # A machine that is shared with other work says how long it let us wait; CPU time is our own part of that.
        Shown(
            "CPU time from the start to the first event after a kill",
            cpu.told("s"),
            "p95 < 2 s",
            holds=cpu.at(0.95) < 2,
        ),
        Shown("the same by the clock, other work going on", start.told("s"), "no limit", holds=True),
    ]


def _play_batch(where: Place, kills: int, rng: random.Random, ledger: Ledger) -> None:
    accepted: dict[EventKey, bytes] = {}
    for _ in range(kills):
        begun = time.monotonic()
        with running(where) as program:
            wait_for_event(where, program)
            ledger.spread("start_s").add(time.monotonic() - begun)
            ledger.spread("start_cpu_s").add(cpu_s(program))
            time.sleep(rng.uniform(0.0, LONGEST_LIFE_S))
            program.send_signal(signal.SIGKILL)
            program.communicate(timeout=TIMEOUT_S)
        ledger.counts["ended_before_the_kill"] += program.returncode == 0
        stored = where.stored()
        # What was there before the kill must still be there: nothing is old enough to be dropped.
        ledger.counts["lost"] += sum(stored.get(key) != payload for key, payload in accepted.items())
        accepted = stored
    where.empty_the_outbox()
    accepted = where.stored()
    delivered = where.delivered()
    ledger.counts["accepted"] += len(accepted)
    ledger.counts["lost"] += sum(delivered.get(key) != payload for key, payload in accepted.items())
    _check_log(where, accepted, ledger)


def _check_log(where: Place, accepted: dict[EventKey, bytes], ledger: Ledger) -> None:
    """Every line is either a whole record as it was sent, or is skipped."""
    lines = [line for line in where.log.read_bytes().split(b"\n") if line]
    records = list(read_lines(where.log))
    whole = [line for line in lines if _is_whole(line)]
    ledger.counts["torn"] += len(lines) - len(whole)
    ledger.counts["records"] += len(records)
    ledger.counts["torn_taken"] += max(0, len(records) - len(whole))
    events = [record for record in records if record["schema"].startswith("emotion-edge.event/")]
    sent = ((record, accepted.get(key_of(record))) for record in events)
    different = sum(payload is not None and msgspec.json.decode(payload) != record for record, payload in sent)
    ledger.counts["torn_taken"] += different


def _is_whole(line: bytes) -> bool:
    """Every payload begins with its schema and ends with the closing brace of its object; half of one cannot parse."""
    try:
        fields = msgspec.json.decode(line)
    except msgspec.DecodeError:
        return False
    return isinstance(fields, dict) and "schema" in fields and line.startswith(b"{") and line.endswith(b"}")
