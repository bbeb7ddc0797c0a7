"""A camera that fails is noticed within three seconds by the shipped settings, and opened again or given up."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edge_runtime.audience import Nobody
from edge_runtime.board import Board
from edge_runtime.capture import MAX_HUNG_THREADS
from edge_runtime.clock import SystemClock
from edge_runtime.config import load_config
from edge_runtime.errors import SourceError
from edge_runtime.heartbeat import Heartbeat, Silence
from edge_runtime.interfaces import Message
from edge_runtime.service import Service
from edge_runtime.settings import Config
from edge_runtime.surroundings import Surroundings
from edge_runtime.testing import CameraFault, FaultyCamera, MemorySink
from edge_runtime.vitals import Ears, look_after
from tests.boards import raspberry_pi
from tests.scene import DiscDetector, pipeline
from tests.test_config import NOTHING

NOTICED_WITHIN_S = 3.0
SHORTEST_WATCHDOG_S = 5.0
"""WatchdogSec of systemd/dropins/test.conf."""
PATIENCE_S = 20.0
"""Longest wait of a test, on a busy machine."""


class WatchingSink(MemorySink):
    """Notes when each message came, and ends the run when it has seen enough."""

    def __init__(self, stop: threading.Event) -> None:
        """Watch nothing yet."""
        super().__init__()
        self.times: list[float] = []
        self._stop = stop
        self._topic, self._text, self._left = "", "", 0

    def ends_after(self, topic: str, text: str, *, count: int = 1) -> None:
        """End the run after so many messages of a topic that hold a text."""
        self._topic, self._text, self._left = topic, text, count

    def publish(self, message: Message) -> None:
        """Keep one message and its time."""
        super().publish(message)
        self.times.append(SystemClock().monotonic())
        if message.topic == self._topic and self._text in message.to_json().decode():
            self._left -= 1
            if self._left == 0:
                self._stop.set()


@dataclass
class Watched:
    """A service over a faulty camera, in real time."""

    config: Config = field(default_factory=Config)
    board: Board = field(default_factory=Board)
    stop: threading.Event = field(default_factory=threading.Event)
    heartbeat: Heartbeat = field(default_factory=Silence)

    def __post_init__(self) -> None:
        self.sink = WatchingSink(self.stop)
        self.camera: FaultyCamera | None = None

    def over(self, *script: CameraFault, good_frames: int = 10) -> int:
        """Run over a camera that follows a script; returns the number of processed frames."""
        clock = SystemClock()
        self.camera = FaultyCamera(script, clock=clock, good_frames=good_frames)
        watched, vitals = look_after(
            self.config,
            self.camera,
            [self.sink],
            clock=clock,
            audience=Nobody(),
            heartbeat=self.heartbeat,
            board=self.board,
        )
        around = Surroundings(clock=clock, stop=self.stop, heartbeat=vitals, audience=vitals)
        service = Service(self.config, pipeline(DiscDetector()), watched, [self.sink], around)
        vitals.ears = Ears(note=service.condition.note, tell_system=service.tell_system)
        timer = threading.Timer(PATIENCE_S, self.stop.set)
        timer.start()
        try:
            return service.run()
        finally:
            timer.cancel()

    def payloads(self, topic: str) -> list[dict[str, Any]]:
        """All that was told on a topic."""
        return [msgspec.json.decode(found.to_json()) for found in self.sink.messages if found.topic == topic]

    def told_after_s(self, topic: str, text: str) -> float:
        """Seconds from the newest fault to the first message of a topic that holds a text."""
        assert self.camera is not None
        assert self.camera.faulty_at is not None
        for message, at in zip(self.sink.messages, self.sink.times, strict=True):
            if message.topic == topic and text in message.to_json().decode():
                return at - self.camera.faulty_at
        raise AssertionError(f"nothing with {text!r} on {topic}")


class Watchdog(Silence):
    """Ends the run when it has heard enough signs of life since the camera was opened for the second time."""

    def __init__(self, watched: Watched, *, enough: int) -> None:
        """Hear nothing yet."""
        self._watched, self._enough = watched, enough
        self.silent_s: list[float] = []
        """Time from one sign of life to the next, while the camera is being opened again."""
        self._heard_at = 0.0

    def alive(self) -> None:
        """Hear one."""
        now = SystemClock().monotonic()
        camera = self._watched.camera
        if camera is not None and camera.openings > 1:
            self.silent_s.append(now - self._heard_at)
        self._heard_at = now
        if len(self.silent_s) == self._enough:
            self._watched.stop.set()


@pytest.fixture
def watched() -> Iterator[Watched]:
    """Yield a service; at the end free its camera's threads."""
    made = Watched()
    before = set(threading.enumerate())
    yield made
    if made.camera is not None:
        made.camera.release()
    for thread in set(threading.enumerate()) - before:
        thread.join(timeout=PATIENCE_S)
        assert not thread.is_alive()


@pytest.mark.parametrize(
    ("fault", "reason"),
    [("breaks", "lost"), ("stalls", "stalled"), ("freezes", "frozen")],
)
def test_a_camera_that_fails_is_told_within_three_seconds(watched: Watched, fault: CameraFault, reason: str) -> None:
    watched.sink.ends_after("status", '"camera":"lost"')

    watched.over(fault)

    assert watched.told_after_s("status", '"camera":"lost"') <= NOTICED_WITHIN_S
    assert watched.told_after_s("event", "camera lost") <= NOTICED_WITHIN_S
    (lost,) = [status for status in watched.payloads("status") if status["camera"] == "lost"]
    assert (lost["state"], lost["camera_reason"]) == ("degraded", reason)


def test_a_black_picture_is_told_within_three_seconds_and_frames_go_on(watched: Watched) -> None:
    watched.sink.ends_after("status", "black")

    processed = watched.over("goes black")

    assert watched.told_after_s("status", "the picture is black") <= NOTICED_WITHIN_S
    assert watched.told_after_s("event", "the picture is black") <= NOTICED_WITHIN_S
    (degraded,) = [status for status in watched.payloads("status") if status["state"] == "degraded"]
    assert degraded["camera"] == "running"
    assert processed > 10
    assert watched.camera is not None
    assert watched.camera.openings == 1


def test_a_frozen_camera_is_opened_again_and_runs(watched: Watched) -> None:
    watched.config = load_config(NOTHING, overrides={"source.frozen_s": 0.4, "service.camera_retry_s": 0.1})
    watched.sink.ends_after("status", '"camera":"running"', count=2)

    watched.over("freezes", "none")

    assert watched.camera is not None
    assert (watched.camera.openings, watched.camera.closings) == (2, 2)
    assert [status["camera"] for status in watched.payloads("status")] == [
        "connecting",
        "running",
        "lost",
        "running",
        "ended",
    ]


def test_a_camera_that_hangs_while_it_is_opened_again_does_not_bring_the_watchdog(watched: Watched) -> None:
    watched.config = load_config(NOTHING, overrides={"service.camera_retry_s": 0.1})
    watched.heartbeat = watchdog = Watchdog(watched, enough=3)

    watched.over("breaks", "hangs")

    assert max(watchdog.silent_s) < SHORTEST_WATCHDOG_S
    assert [status["camera_reason"] for status in watched.payloads("status") if status["camera"] == "lost"] == ["lost"]


def test_a_camera_that_fails_in_a_row_is_given_up_with_code_4(watched: Watched) -> None:
    watched.config = load_config(NOTHING, overrides={"service.camera_retry_s": 0.05, "service.camera_give_up": 4})

    with pytest.raises(SourceError, match=r"not there; given up after 4 failures in a row") as caught:
        watched.over("breaks", "missing")

    assert caught.value.exit_code == 4
    assert watched.camera is not None
    assert watched.camera.openings == 4
    reasons = [status["camera_reason"] for status in watched.payloads("status") if status["camera"] == "lost"]
    assert reasons == ["lost", "missing", "missing"]
    assert watched.payloads("status")[-1]["state"] == "stopping"


def test_a_driver_that_hangs_again_and_again_does_not_gather_threads(watched: Watched) -> None:
    watched.config = load_config(NOTHING, overrides={"source.timeout_s": 0.2, "service.camera_retry_s": 0.05})

    with pytest.raises(SourceError, match=f"{MAX_HUNG_THREADS} reads hang in its driver") as caught:
        watched.over("stalls", good_frames=1)

    assert caught.value.exit_code == 4
    hung = [thread for thread in threading.enumerate() if thread.name == "capture camera:fake"]
    assert len(hung) == MAX_HUNG_THREADS


def test_a_hot_board_processes_fewer_frames_and_says_so(watched: Watched, tmp_path: Path) -> None:
    watched.board = raspberry_pi(tmp_path, millidegrees=81000, throttled="8")
    watched.config = load_config(NOTHING, overrides={"telemetry.period_s": 1.5, "governor.steps_fps": [5.0]})
    watched.sink.ends_after("telemetry", "uptime_s")

    watched.over("none")

    (telemetry,) = watched.payloads("telemetry")
    assert telemetry["limit_fps"] == 5.0
    assert telemetry["fps"] < 8.0  # of 25
    assert telemetry["frames_dropped"]["slowed"] > 0
    assert telemetry["throttled"] == ["soft_temperature_limit"]
    (degraded,) = [status for status in watched.payloads("status") if status["state"] == "degraded"]
    assert degraded["reasons"] == ["at most 5 frames per second are processed: soft temperature limit"]
