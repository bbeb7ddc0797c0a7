"""The log's disk is full, read-only or gone: inference goes on, losses are counted, the log recovers by itself."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from edge_runtime.errors import SinkError
from edge_runtime.settings import Log
from edge_runtime.sinks.jsonl import RETRY_S, RING_LINES, JsonlSink, read_lines
from edge_runtime.testing import ManualClock
from tests.faults.conftest import SmallDisk
from tests.samples import event_message
from tests.source_tree import ROOT

WRITER = """
import sys
from edge_runtime.settings import Log
from edge_runtime.sinks.jsonl import RETRY_S, JsonlSink
from edge_runtime.testing import ManualClock
from tests.samples import event_message
clock = ManualClock()
with JsonlSink(Log(file=sys.argv[1]), clock=clock) as sink:
    for seq in range(1, 8):
        sink.publish(event_message(seq))
        print(seq, sink.problem, flush=True)
        clock.advance(RETRY_S)
"""


def seqs(path: Path) -> list[int]:
    return [record["seq"] for record in read_lines(path)]


def test_a_full_disk_costs_counted_lines_only_and_recovers(small_disk: SmallDisk) -> None:
    path = small_disk.folder / "events.jsonl"
    clock = ManualClock()
    lost = 40

    with JsonlSink(Log(file=str(path)), clock=clock) as sink:
        sink.publish(event_message(1))
        small_disk.fill()
        for seq in range(2, 2 + RING_LINES + lost):
            clock.advance(0.1)
            sink.publish(event_message(seq))
        told = sink.problem
        small_disk.free()
        clock.advance(RETRY_S)
        sink.publish(event_message(9999))

        assert told == "log: No space left on device"
        assert sink.problem is None

    # The page that was begun before the disk was full may hold a few lines more.
    written = seqs(path)
    assert written == sorted(written)
    assert (written[0], written[-1]) == (1, 9999)
    assert sink.dropped["disk"] + len(written) == 2 + RING_LINES + lost
    assert sink.dropped["disk"] > 0
    assert b"\n\n" not in path.read_bytes()


def test_a_start_on_a_full_disk_is_no_error(small_disk: SmallDisk) -> None:
    path = small_disk.folder / "new" / "events.jsonl"
    clock = ManualClock()
    small_disk.fill()

    with JsonlSink(Log(file=str(path)), clock=clock) as sink:
        sink.publish(event_message(1))
        told = sink.problem
        small_disk.free()
        clock.advance(RETRY_S)
        sink.publish(event_message(2))

    assert told is not None
    assert seqs(path) == [1, 2]


def test_a_disk_that_turns_read_only_and_back(small_disk: SmallDisk) -> None:
    path = small_disk.folder / "events.jsonl"
    clock = ManualClock()
    line_mb = len(event_message().to_json()) * 1.5 / 1e6  # every line needs a rotation, which needs the directory

    with JsonlSink(Log(file=str(path), max_mb=line_mb), clock=clock) as sink:
        small_disk.fill()
        sink.publish(event_message(1))
        small_disk.remount("ro")
        clock.advance(RETRY_S)
        sink.publish(event_message(2))
        told = sink.problem
        small_disk.remount("rw")
        small_disk.free()
        clock.advance(RETRY_S)
        sink.publish(event_message(3))

    assert told == "log: Read-only file system"
    assert seqs(path) == [3]
    assert seqs(path.with_name("events.jsonl.1")) == [2]


def test_a_read_only_disk_at_start_is_refused(small_disk: SmallDisk) -> None:
    small_disk.remount("ro")

    with (
        pytest.raises(SinkError, match="Read-only file system"),
        JsonlSink(Log(file=str(small_disk.folder / "events.jsonl")), clock=ManualClock()),
    ):
        pass


def test_a_device_without_room_drops_what_the_ring_cannot_hold() -> None:
    clock = ManualClock()

    with JsonlSink(Log(file="/dev/full"), clock=clock) as sink:
        for seq in range(RING_LINES + 5):
            clock.advance(RETRY_S)
            sink.publish(event_message(seq))

        assert sink.dropped == {"disk": 5}

    assert sink.dropped == {"disk": 5, "close": RING_LINES}


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is missing: apt install strace")
def test_input_output_errors_pass_and_nothing_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.touch()
    inject = ["strace", "-f", "-qq", "-o", str(tmp_path / "trace"), "-P", str(path), "-e", "trace=write"]
    command = [*inject, "-e", "inject=write:error=EIO:when=2..4", sys.executable, "-c", WRITER, str(path)]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 0, done.stderr
    states = [line.partition(" ")[2] for line in done.stdout.splitlines()]
    assert states == ["None", *["log: Input/output error"] * 3, "None", "None", "None"]
    assert seqs(path) == [1, 2, 3, 4, 5, 6, 7]
