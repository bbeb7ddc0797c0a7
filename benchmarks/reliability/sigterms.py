"""SIGTERM at random moments of a program that publishes: it stops in good order, in time, and leaves nothing open."""

from __future__ import annotations

import random
import signal
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any, Final

from benchmarks.reliability.ledger import Ledger, Shown
from benchmarks.reliability.program import TIMEOUT_S, EventKey, Place, key_of, place, running, wait_for_event
from edge_runtime.sinks.jsonl import read_lines
from tests.broker import PATIENCE_S, Received

BATCH: Final = 20
LONGEST_LIFE_S: Final = 0.8
"""From the first event to the signal."""
LONGEST_STOP_S: Final = 5.0


def play(ledger: Ledger, count: int) -> None:
    """Stop until `count` stops are counted; a batch that is interrupted does not count."""
    rng = random.Random(ledger.rounds)  # noqa: S311
    while ledger.rounds < count:
        batch = min(BATCH, count - ledger.rounds)
        with tempfile.TemporaryDirectory() as folder, place(Path(folder) / "place") as where:
            for _ in range(batch):
                _stop_once(where, rng, ledger)
            _check_delivery(where, batch, ledger)
        ledger.end_rounds(batch)


def shown(ledger: Ledger) -> list[Shown]:
    """Tell the counts."""
    counts, stop = ledger.counts, ledger.spread("stop_s")
    codes = f"{counts['exit_0']:,} of {ledger.rounds:,}"
    ends = f"{counts['open_ends']} without an end, {counts['starts']:,} starts"
    lost = f"{counts['lost']} of {counts['events']:,}"
    offline = f"{counts['offline']:,} of {ledger.rounds:,}"
    return [
        Shown("time to stop after SIGTERM", stop.told("s"), "max < 5 s", holds=stop.max < LONGEST_STOP_S),
        Shown("exit code 0 after SIGTERM", codes, "all", holds=counts["exit_0"] == ledger.rounds),
        Shown("starts without an end after SIGTERM", ends, "0", holds=counts["open_ends"] == 0),
        Shown("events neither delivered nor stored after SIGTERM", lost, "0", holds=counts["lost"] == 0),
        Shown("availability is offline after SIGTERM", offline, "all", holds=counts["offline"] == ledger.rounds),
    ]


def _stop_once(where: Place, rng: random.Random, ledger: Ledger) -> None:
    with running(where) as program:
        wait_for_event(where, program)
        time.sleep(rng.uniform(0.0, LONGEST_LIFE_S))
        told_at = time.monotonic()
        program.send_signal(signal.SIGTERM)
        program.communicate(timeout=TIMEOUT_S)
        ledger.spread("stop_s").add(time.monotonic() - told_at)
    ledger.counts["exit_0"] += program.returncode == 0


def _check_delivery(where: Place, stops: int, ledger: Ledger) -> None:
    """Compare the log, which holds every event, with what arrived and with what waits on disk and still comes."""
    arrived = where.listener.drain()
    give_up_at = time.monotonic() + PATIENCE_S
    while _said_offline(arrived) < stops and time.monotonic() < give_up_at:
        time.sleep(0.05)
        arrived += where.listener.drain()
    ledger.counts["offline"] += min(_said_offline(arrived), stops)
    where.empty_the_outbox()
    arrived += where.listener.drain()
    delivered = {key_of(message.payload) for message in arrived if message.topic.endswith("/event")}
    records = [record for record in read_lines(where.log) if "event_type" in record]
    ledger.counts["events"] += len(records)
    ledger.counts["lost"] += sum(key_of(record) not in delivered for record in records)
    open_ends, starts = _open_ends(records)
    ledger.counts["open_ends"] += open_ends
    ledger.counts["starts"] += starts


def _said_offline(arrived: list[Received]) -> int:
    return sum(message.topic.endswith("/availability") and message.payload == b"offline" for message in arrived)


def _open_ends(records: list[dict[str, Any]]) -> tuple[int, int]:
    """Count what began and did not end exactly once, and what began."""
    faces, emotions = Counter[EventKey](), Counter[EventKey]()
    starts = 0
    for record in records:
        who = (record["boot_id"], record.get("track_id", 0))
        kind = record["event_type"]
        starts += kind in {"face_appeared", "emotion_started"}
        faces[who] += {"face_appeared": 1, "face_lost": -1}.get(kind, 0)
        emotions[who] += {"emotion_started": 1, "emotion_ended": -1}.get(kind, 0)
    return sum(map(abs, (*faces.values(), *emotions.values()))), starts
