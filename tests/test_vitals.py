"""What the vitals notice at every turn of the main loop, and that everybody behind them hears all of it."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import numpy as np
import pytest

from edge_runtime.audience import Nobody
from edge_runtime.board import Board
from edge_runtime.datatypes import Frame, Observation
from edge_runtime.errors import MemoryLimitError
from edge_runtime.heartbeat import Silence
from edge_runtime.settings import Config, Governor, Service, Telemetry
from edge_runtime.telemetry import Figures
from edge_runtime.testing import FakeSource, ManualClock, MemorySink
from edge_runtime.vitals import LOOK_EVERY_S, Ears, Vitals, look_after
from tests.boards import raspberry_pi

TOO_HOT, COOL = 81_000, 50_000
"""Thousandths of a degree."""


class Turns:
    """A main loop without a service."""

    def __init__(self, board: Board, config: Config | None = None) -> None:
        self.clock = ManualClock()
        self.sink = MemorySink()
        self.notes: list[tuple[str, str | None]] = []
        self.events: list[str] = []
        source = FakeSource([np.zeros((48, 64), np.uint8)] * 100, live=True)
        self.source, self.vitals = look_after(
            config or Config(),
            source,
            [self.sink],
            clock=self.clock,
            audience=Nobody(),
            heartbeat=Silence(),
            board=board,
        )
        self.vitals.ears = Ears(lambda subject, problem: self.notes.append((subject, problem)), self.events.append)

    def turn(self, seconds: float) -> None:
        """Let the loop turn once after some time."""
        self.clock.advance(seconds)
        self.vitals.alive()


def seen(frame: Frame) -> Observation:
    return Observation(frame.index, frame.captured_at, frame.width, frame.height, ())


def test_heat_is_noted_told_and_over_again(tmp_path: Path) -> None:
    loop = Turns(raspberry_pi(tmp_path, millidegrees=TOO_HOT))
    loop.turn(0.0)
    raspberry_pi(tmp_path, millidegrees=COOL)

    for _ in range(20):
        loop.turn(LOOK_EVERY_S)

    text = "at most 10 frames per second are processed: 81 degrees Celsius"
    assert loop.notes == [("heat", text), ("heat", None)]
    assert loop.events == [text]


def test_the_board_is_not_read_at_every_turn(tmp_path: Path) -> None:
    loop = Turns(raspberry_pi(tmp_path, millidegrees=COOL))
    loop.turn(0.0)
    raspberry_pi(tmp_path, millidegrees=TOO_HOT)

    for _ in range(100):
        loop.turn(LOOK_EVERY_S / 200)

    assert loop.notes == []


def test_the_governor_can_be_turned_off(tmp_path: Path) -> None:
    loop = Turns(raspberry_pi(tmp_path, millidegrees=TOO_HOT), Config(governor=Governor(enabled=False)))

    loop.turn(0.0)

    assert loop.notes == []


def test_a_black_picture_is_noted_once_and_its_end_too(tmp_path: Path) -> None:
    loop = Turns(Board(tmp_path))
    frame = Frame(0, 0.0, np.zeros((48, 64), np.uint8))

    for trouble in (None, "black", "black", "black", None):
        loop.source.trouble = trouble
        loop.vitals.show(frame, seen(frame))

    assert [subject for subject, _ in loop.notes] == ["picture", "picture"]
    assert loop.notes[0][1] == "the picture is black: it is dark, or the camera is covered"
    assert loop.notes[1][1] is None
    assert len(loop.events) == 1


def test_telemetry_comes_every_period_while_the_loop_turns(tmp_path: Path) -> None:
    loop = Turns(Board(tmp_path), Config(telemetry=Telemetry(period_s=60.0)))

    for _ in range(360):
        loop.turn(0.5)

    assert [message.topic for message in loop.sink.messages] == ["telemetry"] * 3
    assert not any(message.durable for message in loop.sink.messages)


@pytest.mark.parametrize("governed", [True, False])
def test_under_voltage_between_two_telemetries_is_told(tmp_path: Path, *, governed: bool) -> None:
    config = Config(telemetry=Telemetry(period_s=60.0), governor=Governor(enabled=governed))
    loop = Turns(raspberry_pi(tmp_path, throttled="10000"), config)
    loop.turn(0.0)
    raspberry_pi(tmp_path, throttled="0")

    loop.turn(60.0)

    (told,) = [json.loads(message.to_json()) for message in loop.sink.messages]
    assert (told["throttled"], told["throttled_since_boot"]) == ([], ["under_voltage"])
    assert loop.events == (["at most 10 frames per second are processed: under voltage"] if governed else [])


def test_a_period_of_zero_is_none(tmp_path: Path) -> None:
    loop = Turns(Board(tmp_path), Config(telemetry=Telemetry(period_s=0.0)))

    for _ in range(10):
        loop.turn(60.0)

    assert loop.sink.messages == []


def test_too_much_memory_ends_the_program_with_an_event_and_code_1(tmp_path: Path) -> None:
    loop = Turns(raspberry_pi(tmp_path, memory_mb=260.0), Config(service=Service(max_memory_mb=250.0)))

    with pytest.raises(
        MemoryLimitError, match=r"260 MB of memory are used, service\.max_memory_mb allows 250"
    ) as caught:
        loop.turn(0.0)

    assert caught.value.exit_code == 1
    assert loop.events == ["260 MB of memory are used, service.max_memory_mb allows 250; ending"]


def test_memory_below_the_bound_or_without_one_is_no_matter(tmp_path: Path) -> None:
    for limit_mb in (0.0, 300.0):
        loop = Turns(raspberry_pi(tmp_path, memory_mb=260.0), Config(service=Service(max_memory_mb=limit_mb)))

        loop.turn(0.0)

        assert loop.events == []


def test_everything_is_passed_on() -> None:
    class Both(Nobody, Silence):
        def __init__(self) -> None:
            self.heard: list[str] = []

        def show(self, frame: Frame, seen: Observation) -> None:  # noqa: ARG002
            self.heard.append("show")

        def consents(self) -> bool:
            self.heard.append("consents")
            return False

        def ready(self) -> None:
            self.heard.append("ready")

        def alive(self) -> None:
            self.heard.append("alive")

        def status(self, text: str) -> None:
            self.heard.append(text)

        def stopping(self) -> None:
            self.heard.append("stopping")

    both, frame = Both(), Frame(0, 0.0, np.zeros((48, 64), np.uint8))
    source = FakeSource([], live=True)
    vitals: Vitals
    _, vitals = look_after(Config(), source, [], clock=ManualClock(), audience=both, heartbeat=both)

    vitals.ready()
    vitals.alive()
    vitals.status("running")
    agreed = vitals.consents()
    vitals.show(frame, seen(frame))
    vitals.stopping()

    assert both.heard == ["ready", "alive", "running", "consents", "show", "stopping"]
    assert not agreed


def test_figures_of_an_earlier_service_of_this_process_are_counted_on(tmp_path: Path) -> None:
    clock, sink = ManualClock(), MemorySink()
    figures, frame = Figures(clock), Frame(0, 0.0, np.zeros((48, 64), np.uint8))

    for _ in range(2):
        source, vitals = look_after(
            Config(),
            FakeSource([], live=True),
            [sink],
            clock=clock,
            audience=Nobody(),
            heartbeat=Silence(),
            board=Board(tmp_path),
            figures=figures,
        )
        vitals.show(frame, seen(frame))
        source.left_out["slowed"] += 1
        clock.advance(60.0)
        vitals.alive()

    told = [msgspec.json.decode(message.to_json()) for message in sink.messages]
    assert [(one["uptime_s"], one["frames_processed"]) for one in told] == [(60.0, 1), (120.0, 2)]
    assert [one["frames_dropped"]["slowed"] for one in told] == [1, 2]
