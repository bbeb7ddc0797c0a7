"""The whole program is told what to do while it runs: by commands, by SIGHUP, by SIGTERM, by a second start."""

from __future__ import annotations

import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.broker import Mosquitto, wait_until
from tests.control_program import BASE, TIMEOUT_S, Program, running, unended, wait_for_event
from tests.source_tree import ROOT

pytestmark = [pytest.mark.broker, pytest.mark.slow]


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    """Listen as the service manager does."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(TIMEOUT_S)
        yield listening


def heard(manager: socket.socket, beginning: str) -> str:
    """Wait for a message of the program to its manager."""
    while True:
        said = manager.recv(4096).decode()
        if said.startswith(beginning):
            return said


def numbers(program: Program, *names: str) -> list[int]:
    """Return `seq` of all events of some log files."""
    return [event["seq"] for name in names or ("events.jsonl",) for event in program.events(name)]


def test_it_pauses_proves_itself_and_goes_on(broker: Mosquitto, tmp_path: Path) -> None:
    with running(tmp_path, broker) as program:
        wait_for_event(program, "face_appeared")

        paused = program.ask("pause", id="p1")
        told = program.status("running", "paused")
        frames_then = program.log_lines()
        proven = program.ask("selftest")
        again = program.ask("pause")
        frames_now = program.log_lines()
        resumed = program.ask("resume")
        program.status("running", "running")
        proven_running = program.ask("selftest")
        took_s = program.end()

        assert program.process is not None
        assert program.process.returncode == 0

    assert (paused["ok"], paused["id"]) == (True, "p1")
    assert told["reasons"] == ["paused by a command"]
    assert [line for line in frames_now[len(frames_then) :] if "faces" in line] == []
    assert (again["ok"], resumed["ok"]) == (True, True)
    for result in (proven, proven_running):
        assert result["ok"], result
        assert [proof["subject"] for proof in result["proofs"]] == ["keypoints, cpu", "emotion, cpu", "faces, cpu"]
    assert "paused" in [event.get("end_reason") for event in program.events()]
    assert unended(program.events()) == []
    assert took_s < 5.0


def test_a_wrong_configuration_is_refused_and_a_right_one_takes_the_old_ones_place(
    broker: Mosquitto, tmp_path: Path, manager: socket.socket
) -> None:
    with running(tmp_path, broker, NOTIFY_SOCKET=manager.getsockname()) as program:
        heard(manager, "READY=1")

        program.write_settings("[observation]\nrate_hz = 2.0\n")
        refused = program.ask("reload")
        degraded = program.status("degraded")
        program.write_settings('[models]\nemotion = "/nowhere"\n')
        program.signal(signal.SIGHUP)
        also_refused = program.status("degraded", because="/nowhere")
        program.settings["observations"]["rate_hz"] = "all"
        program.settings["policy"] = {"hold_s": 0.2}
        program.write_settings()
        accepted = program.ask("reload")
        program.status("running")
        told = [heard(manager, word).partition("\n")[0] for word in ("RELOADING=1\nMONOTONIC_USEC=", "READY=1")]
        program.end()

        assert program.process is not None
        assert program.process.returncode == 0

    events = program.events()
    assert not refused["ok"]
    assert "unknown key 'observation'; did you mean 'observations'?" in refused["message"]
    assert "unknown key 'observation'" in degraded["reasons"][0]
    assert degraded["boot_id"] == also_refused["boot_id"]
    assert accepted["ok"]
    assert told == ["RELOADING=1", "READY=1"]
    assert numbers(program) == list(range(1, len(events) + 1))
    assert len({event["boot_id"] for event in events}) == 1
    assert unended(events) == []
    system = [event["message"] for event in events if event["event_type"] == "system"]
    assert [message.startswith("the new configuration is not used") for message in system] == [True, True, False]
    assert program.errors.count("the old one is kept") == 2
    appeared = [event["track_id"] for event in events if event["event_type"] == "face_appeared"]
    assert appeared == sorted(set(appeared))


def test_sinks_that_change_are_opened_anew_and_the_others_stay(broker: Mosquitto, tmp_path: Path) -> None:
    with running(tmp_path, broker) as program:
        wait_for_event(program, "face_appeared")

        program.arrived().clear()
        program.settings["detector"] = {"every_n_frames": 3}
        program.write_settings()
        same = program.ask("reload")
        reconnects = [found.payload for found in program.arrived() if found.topic.endswith("availability")]
        program.settings["log"]["file"] = str(tmp_path / "other.jsonl")
        program.write_settings()
        other = program.ask("reload")
        program.settings["log"]["file"] = "/proc/nowhere/e.jsonl"
        program.write_settings()
        never = program.ask("reload")
        wait_for_event(program, "face_lost")
        program.end()
        arrived = [found for found in program.arrived() if found.topic == f"{BASE}/event"]

    assert (same["ok"], other["ok"], never["ok"]) == (True, True, False)
    assert reconnects == []
    assert "cannot write the event log" in never["message"]
    written = numbers(program, "events.jsonl", "other.jsonl")
    assert written == list(range(1, len(written) + 1))
    assert arrived
    assert unended([*program.events(), *program.events("other.jsonl")]) == []


def test_a_second_start_ends_at_once_and_names_the_first(broker: Mosquitto, tmp_path: Path) -> None:
    with running(tmp_path, broker) as program:
        second = subprocess.run(
            program.command_line(), cwd=ROOT, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
        )

        assert program.process is not None
        first = program.process.pid
        assert program.process.poll() is None

    assert second.returncode == 1
    assert f"process {first} uses it already; see `ps -fp {first}`" in second.stderr
    assert "Traceback" not in second.stderr
    assert "offline" not in [found.payload.decode() for found in program.arrived()]


def test_a_broker_that_is_away_degrades_the_status_until_it_is_back(broker: Mosquitto, tmp_path: Path) -> None:
    with running(tmp_path, broker) as program:
        broker.kill()
        wait_until(
            lambda: _logged(program, "degraded"), what="the status of a broker that is away", timeout_s=TIMEOUT_S
        )
        away = _logged(program, "degraded")[-1]
        before = len(_logged(program, "running"))
        broker.start()
        wait_until(lambda: len(_logged(program, "running")) > before, what="running again", timeout_s=TIMEOUT_S)
        program.end()

    assert any(reason.startswith("mqtt: 127.0.0.1") for reason in away["reasons"])
    assert len(_logged(program, "degraded")) == 1


def _logged(program: Program, state: str) -> list[dict[str, Any]]:
    return [line for line in program.log_lines() if line.get("state") == state]
