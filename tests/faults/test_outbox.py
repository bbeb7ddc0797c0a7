"""The outbox's disk fills, its program is killed, its broker is away: nothing accepted is lost, the rest is counted."""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest

from edge_runtime.clock import SystemClock
from edge_runtime.outbox import Outbox
from edge_runtime.outbox.buffers import MEMORY_EVENTS
from edge_runtime.outbox.inspection import summary
from edge_runtime.settings import Mqtt
from edge_runtime.settings import Outbox as Settings
from edge_runtime.sinks.mqtt import MqttSink
from edge_runtime.testing import ManualClock
from tests.broker import Listener, Mosquitto, wait_until
from tests.faults.conftest import SmallDisk
from tests.samples import event_message
from tests.source_tree import ROOT

KILLS = 30
PATIENCE_S = 20.0


def event_seqs(path: Path) -> list[int]:
    """Read the events' own numbers in the order of the rows, as a new start would."""
    with sqlite3.connect(path) as database:
        payloads = database.execute("SELECT payload FROM outbox ORDER BY seq").fetchall()
    database.close()
    return [msgspec.json.decode(payload)["seq"] for (payload,) in payloads]


@pytest.mark.slow
def test_kill_9_at_random_moments_loses_nothing_that_was_accepted(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    rng = random.Random(20261)  # noqa: S311
    accepted = 0
    accepted_in_all = 0

    for _ in range(KILLS):
        first = accepted + 1
        accepted = _run_and_kill(path, first, rng)
        accepted_in_all += accepted - first + 1
        found = event_seqs(path)
        missing = set(range(1, accepted + 1)) - set(found)
        assert not missing
        assert len(found) == len(set(found))
        assert found == sorted(found)
        accepted = found[-1]

    assert accepted_in_all > 5 * KILLS


def test_a_full_disk_is_told_counted_and_recovered_from(small_disk: SmallDisk) -> None:
    path = small_disk.folder / "outbox.db"
    surplus = 25

    with Outbox(Settings(path=str(path), commit_ms=10), clock=SystemClock()) as outbox:
        outbox.append(event_message(1))
        assert outbox.flush(PATIENCE_S)
        small_disk.fill()
        outbox.append(event_message(2))
        wait_until(lambda: outbox.problem is not None, what="the full disk is noticed")
        told = outbox.problem
        passed_on = outbox.pending()
        for seq in range(3, 3 + MEMORY_EVENTS + surplus):
            outbox.append(event_message(seq % 1000 + 1))
        small_disk.free()
        wait_until(lambda: outbox.problem is None, what="the disk is used again")

    assert told is not None
    assert "disk" in told
    assert passed_on == 2
    assert outbox.dropped["disk"] > 0
    # 20 events may have been ready to be sent without being stored; with nobody to take them they end with the run.
    stored = len(event_seqs(path))
    assert 1 + MEMORY_EVENTS - 20 <= stored <= 1 + MEMORY_EVENTS + 20


@pytest.mark.broker
def test_while_the_disk_is_full_events_still_reach_the_broker(broker: Mosquitto, small_disk: SmallDisk) -> None:
    settings = Settings(path=str(small_disk.folder / "outbox.db"), commit_ms=10)
    outbox = Outbox(settings, clock=SystemClock())
    sink = MqttSink(Mqtt(host="127.0.0.1", port=broker.port), device_id="kiosk-1", clock=SystemClock(), outbox=outbox)

    with Listener(broker.port) as listener, sink:
        small_disk.fill()
        for seq in range(1, 101):
            sink.publish(event_message(seq))
        arrived = [msgspec.json.decode(found.payload)["seq"] for found in listener.take(100, "/event")]
        told = sink.problem

    assert arrived == list(range(1, 101))
    assert told is not None


def test_a_start_on_a_full_disk_is_no_error(small_disk: SmallDisk) -> None:
    path = small_disk.folder / "outbox.db"
    small_disk.fill()

    with Outbox(Settings(path=str(path), commit_ms=10), clock=SystemClock()) as outbox:
        told = outbox.problem
        outbox.append(event_message(1))
        small_disk.free()
        wait_until(lambda: outbox.problem is None, what="the disk is used again")

    assert told is not None


@pytest.mark.broker
@pytest.mark.slow
def test_a_broker_that_is_away_for_long_gets_a_large_backlog_in_order(broker: Mosquitto, tmp_path: Path) -> None:
    many = 5000
    settings = Settings(path=str(tmp_path / "outbox.db"), commit_ms=10, send_per_s=10_000.0)
    broker.stop()
    outbox = Outbox(settings, clock=SystemClock())
    sink = MqttSink(Mqtt(host="127.0.0.1", port=broker.port), device_id="kiosk-1", clock=SystemClock(), outbox=outbox)

    with sink:
        for seq in range(1, many + 1):
            sink.publish(event_message(seq))
            if seq % 500 == 0:
                assert outbox.flush(PATIENCE_S)
        broker.start()
        with Listener(broker.port) as listener:
            wait_until(lambda: sink.published["event"] == many, what="the backlog is acknowledged", timeout_s=60.0)
            arrived = [
                msgspec.json.decode(found.payload)["seq"] for found in listener.drain() if "/event" in found.topic
            ]

    assert arrived == sorted(arrived)
    assert not sink.dropped
    assert summary(tmp_path / "outbox.db").waiting == 0


@pytest.mark.broker
def test_kill_9_of_the_program_and_of_the_broker_loses_no_accepted_event(broker: Mosquitto, tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    accepted = _run_and_kill(path, 1, random.Random(7))  # noqa: S311
    broker.kill()
    broker.start()
    outbox = Outbox(Settings(path=str(path), commit_ms=10, send_per_s=10_000.0), clock=SystemClock())
    sink = MqttSink(Mqtt(host="127.0.0.1", port=broker.port), device_id="kiosk-1", clock=SystemClock(), outbox=outbox)

    with Listener(broker.port) as listener, sink:
        arrived = [msgspec.json.decode(found.payload)["seq"] for found in listener.take(accepted, "/event")]

    assert arrived == list(range(1, accepted + 1))


def test_a_clock_that_steps_by_years_drops_nothing(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    settings = Settings(path=str(path), commit_ms=10, max_age_h=1.0)

    for utc in (0.0, 4e9, 1e9):
        with Outbox(settings, clock=ManualClock(utc=utc)) as outbox:
            outbox.append(event_message(int(utc / 1e9) + 1))
            assert outbox.flush(PATIENCE_S)
        assert not outbox.dropped

    assert event_seqs(path) == [1, 5, 2]


def _run_and_kill(path: Path, first_seq: int, rng: random.Random) -> int:
    """Run the child for a random time from its first acceptance, kill it; the last number it called accepted."""
    command = [sys.executable, str(ROOT / "tests" / "faults" / "outbox_child.py"), str(path), str(first_seq)]
    environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        said = [child.stdout.readline()]
        time.sleep(rng.uniform(0.0, 0.08))  # the moment of death is the random input of this test
        child.send_signal(signal.SIGKILL)
        said += child.stdout.readlines()
        child.wait(timeout=PATIENCE_S)
    whole = [line for line in said if line.endswith(b"\n")]
    return int(whole[-1])
