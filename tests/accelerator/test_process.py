"""The child process ends with its parent, however that ends, and holds nothing that outlives it."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from edge_runtime.accelerator.edgetpu import Limits
from tests.accelerator.conftest import PATIENCE_S, Boards
from tests.source_tree import ROOT
from tests.tiny_tflite import TinyModel

PARENT = """
import sys, time
from edge_runtime.accelerator.edgetpu import EdgeTpu, Limits
from edge_runtime.bundle import COMPILED_MARK
from edge_runtime.clock import SystemClock
from edge_runtime.interpreter import open_interpreter
model = sys.stdin.buffer.read()
edgetpu = EdgeTpu("edgetpu", sys.argv[1], clock=SystemClock(), limits=Limits(load_s=60.0, patience_s=60.0))
edgetpu.net("tiny", {"model_edgetpu.tflite": model + COMPILED_MARK}, open_interpreter(model))
edgetpu.start()
print(edgetpu.child_pid, edgetpu.label, flush=True)
time.sleep(60)
"""


def is_running(pid: int) -> bool:
    """Whether a process lives; one that nobody has reaped yet does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def signals_ignored_by(pid: int) -> set[signal.Signals]:
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    mask = int(status["SigIgn"], 16)
    return {number for number in signal.Signals if mask >> (number - 1) & 1}


def wait_until_gone(pid: int) -> None:
    give_up_at = time.monotonic() + PATIENCE_S
    while is_running(pid):
        assert time.monotonic() < give_up_at, f"process {pid} is still there"
        time.sleep(0.01)


def test_a_closed_device_leaves_no_process(boards: Boards) -> None:
    board = boards()
    board.add(TinyModel())
    board.edgetpu.start()
    pid = board.edgetpu.child_pid
    assert pid is not None

    board.edgetpu.close()

    assert not is_running(pid)


@pytest.mark.parametrize(
    ("program", "reason", "told"),
    [("/bin/false", "exited", "exit code 1"), ("/nowhere/python", "failed", "cannot start its process")],
)
def test_a_child_that_cannot_run_leaves_the_nets_to_the_processor(
    boards: Boards, monkeypatch: pytest.MonkeyPatch, program: str, reason: str, told: str
) -> None:
    monkeypatch.setattr(sys, "executable", program)
    board = boards()
    board.add(TinyModel())

    board.edgetpu.start()

    assert board.edgetpu.fallbacks == {reason: 1}
    assert told in board.edgetpu.trouble


def test_a_child_that_hangs_is_killed_when_the_device_is_closed(boards: Boards, trigger: Path) -> None:
    board = boards()
    board.add(TinyModel())
    board.edgetpu.start()
    pid = board.edgetpu.child_pid
    assert pid is not None

    trigger.write_text("hang")
    board.edgetpu.close()

    wait_until_gone(pid)


def test_a_child_ignores_sigterm_and_ends_with_a_parent_that_is_killed(library: str) -> None:
    command = [sys.executable, "-c", PARENT, library]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdin is not None
        assert parent.stdout is not None
        parent.stdin.write(TinyModel().to_bytes())
        parent.stdin.close()
        pid, label = parent.stdout.readline().split(maxsplit=1)
        ignored = signals_ignored_by(int(pid))

        parent.send_signal(signal.SIGKILL)
        parent.wait(timeout=PATIENCE_S)

        assert label == b"edgetpu\n"
        assert signal.SIGTERM in ignored
        wait_until_gone(int(pid))


def test_a_watchdog_hears_of_a_start_that_takes_long(boards: Boards, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_DELEGATE", "hang")
    board = boards(limits=Limits(load_s=PATIENCE_S, patience_s=2.5))
    board.add(TinyModel())
    heard_at: list[float] = []

    board.edgetpu.start(lambda: heard_at.append(time.monotonic()))

    assert len(heard_at) == 2
    assert heard_at[1] - heard_at[0] >= 1.0
    assert board.edgetpu.trouble == "edgetpu is loading"
