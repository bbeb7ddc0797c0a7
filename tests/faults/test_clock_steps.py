"""The wall clock steps by hours and years, as NTP sets it on a board without a battery: nothing but dates notices."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from edge_runtime.outbox.inspection import summary
from edge_runtime.sinks.jsonl import read_lines
from tests.faults.wall_clock import WallClock, needs_faketime

PARTS = ("1970-01-01 00:02:00", "2026-11-22 12:00:00", "2016-02-29 23:59:58", "2016-03-01 05:00:00")
"""Before the clock is set; set by NTP; ten years back; five hours on."""

SCHEMAS = ("event", "observation", "status", "state", "telemetry")
APPEND = """
import sys
from edge_runtime.clock import SystemClock
from edge_runtime.outbox import Outbox
from edge_runtime.settings import Outbox as Settings
from tests.samples import event_message
with Outbox(Settings(path=sys.argv[1], max_age_h=1.0, commit_ms=10), clock=SystemClock()) as outbox:
    for seq in range(1, 11):
        outbox.append(event_message(seq))
    assert outbox.flush(30.0)
"""


def stepped(folder: Path) -> dict[str, Any]:
    """Run the service through every part; return what it says at its end."""
    clock = WallClock(folder, PARTS[0])
    with clock.started("-m", "tests.faults.clock_child", str(folder), str(len(PARTS))) as program:
        assert program.stdin is not None
        assert program.stdout is not None
        for part in PARTS[1:]:
            if program.stdout.readline() != "part over\n":
                break  # its return code and its errors say more
            clock.step(part)
            program.stdin.write("\n")
            program.stdin.flush()
        out, err = program.communicate()
    assert program.returncode == 0, err[-3000:]
    said: dict[str, Any] = msgspec.json.decode(out.splitlines()[-1])
    return said


@needs_faketime
def test_steps_of_hours_and_years_change_dates_and_nothing_else(tmp_path: Path) -> None:
    said = stepped(tmp_path)

    records = list(read_lines(tmp_path / "events.jsonl"))
    of = {name: [found for found in records if found["schema"] == f"emotion-edge.{name}/1"] for name in SCHEMAS}
    assert said["frames"] > 12 * len(PARTS)  # of 25 each; a busy machine drops some
    # The clock was stepped, and everything carries the date it then showed.
    assert {found["time"][:4] for found in of["observation"]} >= {"1970", "2026", "2016"}
    # Nobody took a step for a fault: the camera ran through, the face stayed the same one.
    assert {found["camera"] for found in of["status"]} == {"connecting", "running", "ended"}
    types = [found["event_type"] for found in of["event"]]
    assert types == ["face_appeared", "emotion_started", "emotion_ended", "face_lost"]
    # Durations are those of the other clock.
    lost = of["event"][-1]
    assert 2.0 < lost["duration_s"] < 60.0
    assert all(found.get("duration_s", 0.0) >= 0.0 for found in of["event"])
    assert all(0.0 <= found["uptime_s"] < 60.0 for found in of["telemetry"])
    assert all(found["fps"] >= 0.0 and found["latency_ms"]["p50"] >= 0.0 for found in of["telemetry"])
    nanoseconds = [found["monotonic_ns"] for found in of["event"]]
    assert nanoseconds == sorted(nanoseconds)
    # No retention by the wall clock: 56 years do not make an event an hour old, and the log is not rotated.
    assert said["dropped"]["jsonl"] == {}
    assert set(said["dropped"]["mqtt"]) <= {"not_connected"}  # streams, which nobody keeps
    assert summary(tmp_path / "outbox.db").waiting == len(of["event"])
    assert not (tmp_path / "events.jsonl.1").exists()


@needs_faketime
def test_an_outbox_of_1970_keeps_its_events_over_starts_in_2026_and_2016(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    waiting = []

    for year in ("1970", "2026", "2016"):
        with WallClock(tmp_path, f"{year}-06-01 00:00:00").started("-c", APPEND, str(path)) as program:
            _, err = program.communicate()
        assert program.returncode == 0, err[-3000:]
        waiting.append(summary(path).waiting)

    assert waiting == [10, 20, 30]
