"""What only one process may use: told with the other's number, gone with its process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from edge_runtime.claims import Claims, claims_of
from edge_runtime.config import load_config
from edge_runtime.errors import ClaimedError
from tests.source_tree import ROOT
from tests.test_config import NOTHING

RACES = 100

# Two children wait for a pipe to close, try to take the claim, say what came of it, and hold it until the end.
RACE = """
import os, sys
from edge_runtime.claims import Claims
from edge_runtime.errors import ClaimedError

def child(claim, start, told, end):
    os.read(start, 1)
    with Claims() as claims:
        try:
            claims.take((claim,))
        except ClaimedError as error:
            os.write(told, f"second {error}\\n".encode())
        else:
            os.write(told, f"first {os.getpid()}\\n".encode())
        os.read(end, 1)
    os._exit(0)

for number in range(int(sys.argv[2])):
    (start, go), (said, told), (end, over) = os.pipe(), os.pipe(), os.pipe()
    pids = []
    for _ in range(2):
        pid = os.fork()
        if pid == 0:
            os.close(go); os.close(over)
            child(f"{sys.argv[1]} {number}", start, told, end)
        pids.append(pid)
    os.close(go)
    os.close(told)
    lines = []
    with os.fdopen(said) as reading:
        lines = [reading.readline(), reading.readline()]
        os.close(over)
    for pid in pids:
        os.waitpid(pid, 0)
    os.close(start); os.close(end)
    first, = [line for line in lines if line.startswith("first")]
    second, = [line for line in lines if line.startswith("second")]
    print("named" if f"process {first.split()[1]} uses it" in second else second)
"""


@pytest.fixture
def claim() -> str:
    """Name something that no other test and no other user of this machine names."""
    return f"test {uuid.uuid4()}"


def test_of_two_that_start_together_one_wins_and_the_other_names_it(claim: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", RACE, claim, str(RACES)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["named"] * RACES


def test_a_process_that_was_killed_holds_nothing(claim: str) -> None:
    holder = (
        f"from edge_runtime.claims import Claims\nClaims().take(({claim!r},))\nprint('held', flush=True)\nimport sys\n"
        "sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", holder.replace("Claims()", "(c := Claims())", 1)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == b"held\n"
        with Claims() as claims, pytest.raises(ClaimedError, match=rf"process {program.pid} uses it already; see `ps"):
            claims.take((claim,))
        program.send_signal(signal.SIGKILL)
        program.wait(timeout=20)

    with Claims() as claims:
        claims.take((claim,))


def test_taking_again_lets_go_what_is_not_wanted_any_more(claim: str) -> None:
    with Claims() as ours, Claims() as others:
        ours.take((claim, f"{claim} b"))
        with pytest.raises(ClaimedError, match=rf"this process uses it already; see `ps -fp {os.getpid()}`"):
            others.take((f"{claim} c", claim))
        ours.take((f"{claim} b",))
        others.take((claim, f"{claim} c"))  # what was not gained above is not held either
        with pytest.raises(ClaimedError):
            others.take((f"{claim} b",))
        with pytest.raises(ClaimedError):
            ours.take((claim,))  # what others hold after a refusal, they still hold


def test_a_configuration_claims_what_cannot_be_shared(tmp_path: Path) -> None:
    log, outbox = tmp_path / "e.jsonl", tmp_path / "o.db"
    everything = {"source.uri": "camera", "log.file": str(log), "mqtt.host": "b", "outbox.path": str(outbox)}

    claims = claims_of(load_config(NOTHING, overrides={"device.id": "kiosk-1", **everything}))

    assert claims == ("camera:0", f"log file {log}", f"outbox {outbox}", "MQTT name kiosk-1 at b:0")
    assert claims_of(load_config(NOTHING, overrides={"source.uri": "demo"})) == ()
    assert claims_of(load_config(NOTHING, overrides={"source.uri": "rtsp://camera.lan/1"})) == ()


@pytest.mark.parametrize(("one", "other"), [("camera", "camera:0"), ("picamera:0", "picamera")])
def test_a_camera_has_one_name(one: str, other: str) -> None:
    first, second = (claims_of(load_config(NOTHING, overrides={"source.uri": uri})) for uri in (one, other))

    assert first == second


def test_a_log_file_has_one_name(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    paths = (tmp_path / "e.jsonl", tmp_path / "link" / "e.jsonl", tmp_path / "x" / ".." / "e.jsonl")

    found = {claims_of(load_config(NOTHING, overrides={"source.uri": "demo", "log.file": str(p)})) for p in paths}

    assert len(found) == 1


def test_a_camera_that_is_named_by_its_device_or_a_link_to_it_is_the_same_camera(tmp_path: Path) -> None:
    (tmp_path / "door").symlink_to("/dev/video0")
    uris = ("camera", "camera:00", "/dev/video0", str(tmp_path / "door"))

    assert {claims_of(load_config(NOTHING, overrides={"source.uri": uri})) for uri in uris} == {("camera:0",)}


def test_a_source_that_is_not_there_claims_nothing(tmp_path: Path) -> None:
    assert claims_of(load_config(NOTHING, overrides={"source.uri": str(tmp_path / "none.mp4")})) == ()
