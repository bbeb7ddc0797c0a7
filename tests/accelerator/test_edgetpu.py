"""What the Edge TPU's library may do, with a stand-in that does it: the processor answers, and it is said why."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edge_runtime.accelerator.edgetpu import Limits
from edge_runtime.bundle import EDGETPU_FILE
from edge_runtime.datatypes import ShapeError
from edge_runtime.errors import DelegateError
from edge_runtime.interpreter import open_interpreter
from edge_runtime.quantization import quantize_pixels
from tests.accelerator.conftest import PATIENCE_S, Board, Boards
from tests.tiny_tflite import QUARTERS, TinyModel, quarters

PICTURE = quantize_pixels(quarters(10, 104, 200, 255))
OTHER = TinyModel(weights=np.full((3, QUARTERS), 4, np.int8))
WITHIN_S = 2.0
"""A frame is answered, whatever the device does."""


def until(board: Board, device: str) -> float:
    """Invoke until the next call goes to `device`; every answer must be right. Return the longest call, seconds."""
    longest, give_up_at = 0.0, time.monotonic() + PATIENCE_S
    while board.nets[0].device != device:
        assert time.monotonic() < give_up_at, f"still {board.edgetpu.label}"
        started = time.monotonic()
        (answer,) = board.nets[0].invoke(PICTURE)
        longest = max(longest, time.monotonic() - started)
        (expected,) = board.cpu[0].invoke(PICTURE)
        assert np.array_equal(answer, expected)
    return longest


def test_all_nets_run_in_one_child_and_answer_as_the_processor_does(boards: Boards) -> None:
    board = boards()
    board.add(TinyModel())
    board.add(OTHER)

    board.edgetpu.start()
    answers = [net.invoke(PICTURE) for net in board.nets]

    assert board.edgetpu.label == "edgetpu:usb:0"
    assert board.edgetpu.trouble == ""
    assert [net.device for net in board.nets] == ["edgetpu:usb:0"] * 2
    assert board.edgetpu.child_pid not in {None, os.getpid()}
    for answer, cpu in zip(answers, board.cpu, strict=True):
        assert np.array_equal(answer, cpu.invoke(PICTURE))
    assert not board.edgetpu.fallbacks


def test_answers_belong_to_the_caller(boards: Boards) -> None:
    board = boards()
    board.add(TinyModel())
    board.edgetpu.start()
    (first,) = board.nets[0].invoke(PICTURE)
    kept = first.copy()

    board.nets[0].invoke(quantize_pixels(quarters(0, 0, 0, 0)))

    assert board.edgetpu.is_ready
    assert np.array_equal(first, kept)


def test_an_input_of_another_form_is_refused_before_the_child_sees_it(boards: Boards) -> None:
    board = boards()
    board.add(TinyModel())
    board.edgetpu.start()

    with pytest.raises(ShapeError, match=r"expected \(1, 96, 96, 1\) int8"):
        board.nets[0].invoke(PICTURE[0])

    assert board.edgetpu.is_ready


@pytest.mark.parametrize(("device", "wanted"), [("edgetpu:usb:1", "usb:1"), ("edgetpu:pci:0", "pci:0")])
def test_the_library_is_told_which_device(
    boards: Boards, monkeypatch: pytest.MonkeyPatch, device: str, wanted: str
) -> None:
    monkeypatch.setenv("FAKE_DELEGATE_WANTS", wanted)
    board = boards(device=device)
    board.add(TinyModel())

    board.edgetpu.start()

    assert board.edgetpu.label == device


@pytest.mark.parametrize(
    ("mode", "reason", "told"),
    [
        ("no-device", "no_device", "no Edge TPU is plugged in"),
        ("refuses", "refused", "libfake_edgetpu.so and ai_edge_litert"),
        ("abort", "aborted", "its process ended by SIGABRT"),
        ("exit", "exited", "its process ended with exit code 3"),
    ],
)
def test_a_library_that_does_not_load_leaves_the_nets_to_the_processor(
    boards: Boards, monkeypatch: pytest.MonkeyPatch, mode: str, reason: str, told: str
) -> None:
    monkeypatch.setenv("FAKE_DELEGATE", mode)
    board = boards()
    board.add(TinyModel())

    board.edgetpu.start()

    assert board.edgetpu.label.startswith("cpu (edgetpu not used: ")
    assert told in board.edgetpu.trouble
    assert board.edgetpu.fallbacks == {reason: 1}
    assert np.array_equal(board.nets[0].invoke(PICTURE), board.cpu[0].invoke(PICTURE))
    assert board.nets[0].device == "cpu"


@pytest.mark.parametrize(
    ("path", "reason", "told"),
    [("libnowhere.so.1", "library_missing", "libnowhere.so.1"), ("libm.so.6", "refused", "is no delegate")],
)
def test_a_library_that_is_missing_or_another_is_not_tried_again(
    boards: Boards, path: str, reason: str, told: str
) -> None:
    board = boards(path)
    board.add(TinyModel())
    board.edgetpu.start()

    board.clock.advance(1e6)
    board.nets[0].invoke(PICTURE)

    assert told in board.edgetpu.trouble
    assert board.edgetpu.fallbacks == {reason: 1}
    assert board.edgetpu.child_pid is None


def test_a_library_that_hangs_while_it_loads_keeps_no_frame_waiting(
    boards: Boards, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_DELEGATE", "hang")
    board = boards(limits=Limits(load_s=20.0, patience_s=0.1))
    board.add(TinyModel())
    board.edgetpu.start()

    started = time.monotonic()
    answer = board.nets[0].invoke(PICTURE)
    took_s, loading = time.monotonic() - started, board.edgetpu.label
    board.clock.advance(21.0)
    board.nets[0].invoke(PICTURE)

    assert np.array_equal(answer, board.cpu[0].invoke(PICTURE))
    assert took_s < WITHIN_S
    assert loading == "cpu (edgetpu is loading)"
    assert board.edgetpu.fallbacks == {"hung": 1}
    assert board.edgetpu.trouble == "edgetpu not used: not loaded within 20 s"


@pytest.mark.parametrize(
    ("what", "reason", "told"),
    [
        ("abort", "aborted", "its process ended by SIGABRT"),
        ("exit", "exited", "its process ended with exit code 3"),
        ("hang", "hung", "no answer within 1 s"),
    ],
)
def test_a_device_that_is_lost_costs_no_frame(
    boards: Boards,
    trigger: Path,
    what: str,
    reason: str,
    told: str,
    caplog: pytest.LogCaptureFixture,
    record_property: Callable[[str, object], None],
) -> None:
    board = boards()
    board.add(TinyModel())
    board.edgetpu.start()
    assert until(board, "edgetpu:usb:0") == 0.0

    trigger.write_text(what)
    longest_s = until(board, "cpu")

    record_property("lost_frame_ms", round(1000 * longest_s))
    assert longest_s < WITHIN_S
    assert board.edgetpu.label == f"cpu (edgetpu lost: {told})"
    assert board.edgetpu.fallbacks == {reason: 1}
    assert f"edgetpu lost: {told}, on the processor; next try in 5 s" in caplog.text


def test_a_child_that_is_killed_is_replaced_after_a_pause_and_frames_go_on_meanwhile(boards: Boards) -> None:
    board = boards()
    board.add(TinyModel())
    board.edgetpu.start()
    first = board.edgetpu.child_pid
    assert first is not None

    os.kill(first, signal.SIGKILL)
    until(board, "cpu")
    before = board.edgetpu.child_pid
    board.clock.advance(5.0)
    longest_s = until(board, "edgetpu:usb:0")

    assert before is None
    assert board.edgetpu.child_pid not in {None, first}
    assert board.edgetpu.fallbacks == {"killed": 1}
    assert board.edgetpu.label == "edgetpu:usb:0"
    assert longest_s < WITHIN_S


def test_pauses_between_tries_double_up_to_their_limit(boards: Boards, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_DELEGATE", "no-device")
    board = boards(limits=Limits(load_s=PATIENCE_S, patience_s=PATIENCE_S, retry_s=5.0, retry_max_s=8.0))
    board.add(TinyModel())
    board.edgetpu.start()
    tried_after = []

    for pause_s in (5.0, 8.0):
        board.clock.advance(pause_s - 0.5)
        board.nets[0].invoke(PICTURE)
        too_early = board.edgetpu.child_pid
        board.clock.advance(0.5)
        board.nets[0].invoke(PICTURE)
        tried_after.append((too_early, board.edgetpu.child_pid is not None))
        give_up_at = time.monotonic() + PATIENCE_S
        while board.edgetpu.child_pid is not None and time.monotonic() < give_up_at:
            board.nets[0].invoke(PICTURE)

    assert tried_after == [(None, True), (None, True)]
    assert board.edgetpu.fallbacks == {"no_device": 3}


def test_a_net_that_was_not_compiled_stays_on_the_processor(boards: Boards) -> None:
    board = boards()
    board.add(TinyModel())

    board.add(OTHER, compiled=OTHER.to_bytes())
    board.edgetpu.start()

    assert [net.device for net in board.nets] == ["edgetpu:usb:0", "cpu"]
    assert board.nets[1] is board.cpu[1]
    assert board.edgetpu.label == "edgetpu:usb:0 (cpu: net 1)"
    assert board.edgetpu.fallbacks == {"not_compiled": 1}


def test_without_any_compiled_net_no_child_is_started(boards: Boards) -> None:
    board = boards()
    cpu = open_interpreter(TinyModel().to_bytes())

    given = board.edgetpu.net("emotion", {}, cpu)
    board.edgetpu.start()

    assert given is cpu
    assert board.edgetpu.child_pid is None
    assert board.edgetpu.label == "cpu (edgetpu not used: no compiled net in the bundles of emotion)"


def test_a_compiled_net_that_is_another_net_is_refused(boards: Boards) -> None:
    board = boards()

    board.add(TinyModel(), compiled=OTHER.to_bytes() + b"edgetpu-custom-op")
    board.edgetpu.start()

    assert board.edgetpu.fallbacks == {"mismatch": 1}
    assert f"net 0: {EDGETPU_FILE} has tensors" in board.edgetpu.trouble


def test_a_strict_device_raises_where_another_would_fall_back(
    boards: Boards, monkeypatch: pytest.MonkeyPatch, trigger: Path
) -> None:
    lost = boards(strict=True)
    lost.add(TinyModel())
    lost.edgetpu.start()
    trigger.write_text("abort")

    with pytest.raises(DelegateError, match=r"edgetpu:usb:0: edgetpu lost: its process ended by SIGABRT; see docs"):
        until(lost, "cpu")
    with pytest.raises(DelegateError, match=r"no model_edgetpu\.tflite"):
        boards(strict=True).edgetpu.net("emotion", {}, lost.cpu[0])
    monkeypatch.setenv("FAKE_DELEGATE", "no-device")
    missing = boards(strict=True)
    missing.add(TinyModel())
    with pytest.raises(DelegateError, match="no Edge TPU is plugged in"):
        missing.edgetpu.start()
