"""`emotion-edge run` in a process of its own: output, exit codes, signals."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.scene import picture
from tests.source_tree import ROOT
from tests.sources.pictures import write_folder

TIMEOUT_S = 60
NO_CONFIG = ("--config", os.devnull)
"""This machine may have a configuration of its own."""


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Write a folder of pictures of nobody."""
    return write_folder(tmp_path / "pictures", [picture() for _ in range(15)])


def program(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the program in a process of its own."""
    command = [sys.executable, "-m", "edge_runtime", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)


def lines(path: Path) -> list[dict[str, Any]]:
    """Read JSON lines."""
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_run_writes_events_to_the_terminal_and_the_log_and_nothing_else(tmp_path: Path) -> None:
    log = tmp_path / "events.jsonl"

    done = program(
        "run", *NO_CONFIG, "--source", "demo", "--max-frames", "60", "--format", "json", "--log-file", str(log)
    )

    assert done.returncode == 0, done.stderr[-2000:]
    printed = [json.loads(line) for line in done.stdout.splitlines()]
    logged = lines(log)
    events = [payload for payload in logged if "event_type" in payload]
    assert events[0]["event_type"] == "face_appeared"
    assert events[-1]["event_type"] == "face_lost"
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert [payload for payload in printed if "event_type" in payload] == events
    assert any(payload["schema"] == "emotion-edge.observation/1" for payload in logged)
    assert "deployment.context is not set" in done.stderr


def test_run_on_frames_of_nobody_ends_well_and_quietly(pictures: Path) -> None:
    done = program("run", *NO_CONFIG, "--source", str(pictures), "--quiet")

    assert (done.returncode, done.stdout) == (0, "")


def test_a_source_that_is_not_there_is_exit_code_4(tmp_path: Path) -> None:
    done = program("run", *NO_CONFIG, "--source", str(tmp_path / "none.mp4"))

    assert done.returncode == 4
    assert "none.mp4" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_a_broker_that_is_required_and_absent_is_exit_code_6(pictures: Path) -> None:
    done = program("run", *NO_CONFIG, "--source", str(pictures), "--mqtt", "127.0.0.1:1", "--require-broker", "--quiet")

    assert done.returncode == 6, done.stderr[-2000:]
    assert "127.0.0.1:1" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_run_in_good_order(number: signal.Signals, tmp_path: Path) -> None:
    log = tmp_path / "events.jsonl"
    command = ["run", *NO_CONFIG, "--source", "demo", "--format", "json", "--log-file", str(log)]
    with subprocess.Popen(
        [sys.executable, "-m", "edge_runtime", *command],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stdout is not None
        first = running.stdout.readline()  # the program is in its loop once it tells something
        running.send_signal(number)
        _, errors = running.communicate(timeout=TIMEOUT_S)

    assert first
    assert running.returncode == 0, errors[-2000:]
    kinds = [payload["event_type"] for payload in lines(log) if "event_type" in payload]
    assert kinds.count("face_appeared") == kinds.count("face_lost")
    assert kinds.count("emotion_started") == kinds.count("emotion_ended")
    assert f"{number.name}: stopping" in errors
