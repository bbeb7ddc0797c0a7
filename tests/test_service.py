"""The whole loop over fake sources: order of what is told, recovery, and an end for every start."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from typing_extensions import Self

from edge_runtime.config import load_config
from edge_runtime.datatypes import Frame
from edge_runtime.errors import SourceError
from edge_runtime.service import Service
from edge_runtime.settings import Config
from edge_runtime.surroundings import Surroundings
from edge_runtime.testing import FakeSource, ManualClock, MemorySink
from tests.scene import DiscDetector, Place, picture, pipeline
from tests.test_config import NOTHING

TIMEOUT_S = 2.0  # below the patience with which a capture thread is waited for
HERE: Place = (100.0, 60.0, 1.0)


@dataclass
class Pulse:
    """Writes down every sign of life, and lets a paced source go on."""

    heard: list[str] = field(default_factory=list)
    turned: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def ready(self) -> None:
        self.heard.append("ready")

    def alive(self) -> None:
        self.heard.append("alive")
        self.turned.release()

    def status(self, text: str) -> None:
        self.heard.append(text)

    def reloading(self) -> None:
        self.heard.append("reloading")

    def stopping(self) -> None:
        self.heard.append("stopping")


class HurriedEvent(threading.Event):
    """Does not wait; writes down how long it was asked to."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.waits.append(timeout or 0.0)
        return self.is_set()


class Camera(FakeSource):
    """A live source that gives the next frame when the last one was processed, and breaks after so many."""

    def __init__(self, pulse: Pulse, script: list[int | None]) -> None:
        """Take what each opening gives: so many frames before it breaks, or None for an opening that fails."""
        super().__init__([picture(HERE)] * 100, live=True)
        self.name = "camera:0"
        self.openings = 0
        self._pulse, self._script, self._at = pulse, script, 0.0

    def __enter__(self) -> Self:
        frames = self._script[min(self.openings, len(self._script) - 1)]
        self.openings += 1
        if frames is None:
            raise SourceError("camera:0: not there")
        self._fails_after = frames
        super().__enter__()
        return self

    def frames(self) -> Iterator[Frame]:
        for frame in super().frames():
            self._at += 0.04
            yield Frame(frame.index, self._at, frame.pixels)
            if not self._pulse.turned.acquire(timeout=TIMEOUT_S):
                raise SourceError("camera:0: its frame was never processed")


@dataclass
class Run:
    """One service and what it told."""

    config: Config = field(default_factory=Config)
    pulse: Pulse = field(default_factory=Pulse)
    stop: HurriedEvent = field(default_factory=HurriedEvent)
    sink: MemorySink = field(default_factory=MemorySink)
    max_frames: int | None = None

    def over(self, source: FakeSource, **parts: Any) -> int:  # noqa: ANN401
        """Run over a source; returns the number of processed frames."""
        around = Surroundings(clock=ManualClock(), stop=self.stop, heartbeat=self.pulse, max_frames=self.max_frames)
        return Service(self.config, pipeline(DiscDetector(), **parts), source, [self.sink], around).run()

    @property
    def payloads(self) -> list[dict[str, Any]]:
        """All that was told."""
        return [json.loads(message.to_json()) for message in self.sink.messages]

    @property
    def events(self) -> list[dict[str, Any]]:
        """Events alone."""
        return [payload for payload in self.payloads if "event_type" in payload]

    @property
    def statuses(self) -> list[tuple[str, str]]:
        """State and camera of every status."""
        return [(payload["state"], payload["camera"]) for payload in self.payloads if "camera" in payload]


def clip(frames: int = 30) -> FakeSource:
    """Show one face from beginning to end."""
    return FakeSource([picture(HERE)] * frames)


def test_a_file_is_processed_frame_by_frame_to_its_end() -> None:
    run = Run()

    processed = run.over(clip(30))

    assert processed == 30
    assert run.statuses == [("starting", "connecting"), ("running", "running"), ("stopping", "ended")]
    kinds = [event["event_type"] for event in run.events]
    assert kinds == ["face_appeared", "emotion_started", "emotion_ended", "face_lost"]
    assert {event["end_reason"] for event in run.events if "end_reason" in event} == {"shutdown"}
    assert [event["seq"] for event in run.events] == [1, 2, 3, 4]


def test_status_names_models_and_versions() -> None:
    run = Run()

    run.over(clip(1))

    status = run.payloads[0]
    assert status["models"] == {"keypoints": "tiny-keypoints 1.2.3", "emotion": "tiny-emotion 1.2.3"}
    assert status["accelerator"] == "cpu"
    assert set(status["versions"]) == {"emotion-edge", "runtime"}


def test_the_heart_beats_once_per_frame_and_ready_comes_once() -> None:
    run = Run()

    run.over(clip(5))

    signs = [sign for sign in run.pulse.heard if "," not in sign]
    assert signs == ["ready", "alive", "alive", "alive", "alive", "alive", "stopping"]
    assert run.pulse.heard[0] == "starting, camera connecting"
    assert run.pulse.heard[-1] == "stopping, camera ended"


@pytest.mark.parametrize("count", [1, 7])
def test_no_more_frames_are_processed_than_asked_for(count: int) -> None:
    assert Run(max_frames=count).over(clip(30)) == count


def test_a_stop_ends_the_run_after_the_frame_at_hand_and_ends_what_had_started() -> None:
    run, count = Run(), iter(range(100))

    def shows() -> str:
        if next(count) == 12:
            run.stop.set()
        return "happy"

    processed = run.over(clip(30), shows=shows)

    assert processed == 14  # the first frame has no face yet, the stop comes while the fourteenth is read
    assert [event["event_type"] for event in run.events][-2:] == ["emotion_ended", "face_lost"]
    assert run.statuses[-1] == ("stopping", "ended")


def test_a_stop_before_the_beginning_opens_nothing() -> None:
    run = Run()
    run.stop.set()

    assert run.over(clip(30)) == 0
    assert run.statuses == [("starting", "connecting"), ("stopping", "ended")]


def test_a_file_that_breaks_ends_the_run_with_its_error_and_every_end_is_told() -> None:
    run = Run()

    with pytest.raises(SourceError, match="unplugged after 20 frames"):
        run.over(FakeSource([picture(HERE)] * 30, fails_after=20))

    assert [event["event_type"] for event in run.events][-2:] == ["emotion_ended", "face_lost"]
    assert run.statuses[-1] == ("stopping", "ended")


def test_a_camera_that_breaks_is_opened_again(caplog: pytest.LogCaptureFixture) -> None:
    run = Run(max_frames=40)
    camera = Camera(run.pulse, [20, 100])

    with caplog.at_level(logging.WARNING):
        processed = run.over(camera)

    assert (processed, camera.openings) == (40, 2)
    assert [event["event_type"] for event in run.events] == [
        "face_appeared",
        "emotion_started",
        "emotion_ended",
        "face_lost",
        "system",
        "face_appeared",
        "emotion_started",
        "emotion_ended",
        "face_lost",
    ]
    assert [event.get("end_reason") for event in run.events[2:4]] == ["lost", "lost"]
    assert run.events[4]["message"] == "camera lost: fake: unplugged after 20 frames"
    assert run.statuses == [
        ("starting", "connecting"),
        ("running", "running"),
        ("degraded", "lost"),
        ("running", "running"),
        ("stopping", "ended"),
    ]
    assert "unplugged after 20 frames; next try in 1.0 s" in caplog.text
    assert run.pulse.heard.count("ready") == 1


def test_the_pause_doubles_up_to_its_limit_and_begins_anew_after_frames() -> None:
    config = load_config(NOTHING, overrides={"service.camera_retry_s": 0.5, "service.camera_retry_max_s": 2.0})
    run = Run(config=config, max_frames=12)

    run.over(Camera(run.pulse, [5, None, None, None, None, 3, 100]))

    pauses = [0.5, 1.0, 2.0, 2.0, 2.0, 0.5]
    assert sum(run.stop.waits) == pytest.approx(sum(pauses))
    assert max(run.stop.waits) <= 0.5  # a sign of life is given at least so often
    assert len([event for event in run.events if event["event_type"] == "system"]) == len(pauses)


def test_a_camera_that_is_missing_at_the_start_ends_the_program() -> None:
    run = Run()

    with pytest.raises(SourceError, match="not there"):
        run.over(Camera(run.pulse, [None]))

    assert run.statuses == [("starting", "connecting"), ("stopping", "ended")]
    assert "ready" not in run.pulse.heard


def test_a_service_may_wait_for_a_missing_camera() -> None:
    config = load_config(NOTHING, overrides={"service.wait_for_camera": True})
    run = Run(config=config, max_frames=3)

    processed = run.over(Camera(run.pulse, [None, None, 100]))

    assert processed == 3
    assert [state for state, _ in run.statuses] == ["starting", "degraded", "degraded", "running", "stopping"]
    # systemd must not restart a service that waits: it is told that the service is up.
    assert run.pulse.heard.index("ready") < run.pulse.heard.index("running, camera running")


def test_a_stop_during_the_wait_for_a_camera_ends_the_run() -> None:
    class Impatient(HurriedEvent):
        def wait(self, timeout: float | None = None) -> bool:
            self.set()
            return super().wait(timeout)

    run = Run(config=load_config(NOTHING, overrides={"service.wait_for_camera": True}), stop=Impatient())

    assert run.over(Camera(run.pulse, [None])) == 0
    assert run.statuses[-1] == ("stopping", "ended")
    assert len(run.stop.waits) == 1


def test_no_capture_thread_is_left() -> None:
    run = Run(max_frames=10)
    before = set(threading.enumerate())

    run.over(Camera(run.pulse, [4, 100]))

    assert set(threading.enumerate()) == before


def test_the_same_clip_gives_the_same_bytes_twice() -> None:
    config = load_config(NOTHING, overrides={"observations.rate_hz": "all", "device.id": "kiosk-1"})
    runs = [Run(config=config), Run(config=config)]

    for run in runs:
        run.over(clip(20))

    lines, again = ([message.to_json() for message in run.sink.messages] for run in runs)
    assert lines == again
    assert len([line for line in lines if b"emotion-edge.observation/1" in line]) == 20
