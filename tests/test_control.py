"""What a service does when it is told something between two frames."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from edge_runtime.audience import Nobody
from edge_runtime.commands import Command, Inbox
from edge_runtime.datatypes import Frame, Observation
from edge_runtime.errors import ConfigError
from edge_runtime.output_settings import CommandName
from edge_runtime.service import Service
from edge_runtime.session import Session
from edge_runtime.settings import Config
from edge_runtime.surroundings import Surroundings
from edge_runtime.testing import FakeSource, ManualClock, MemorySink
from tests.scene import DiscDetector, pipeline
from tests.test_service import Camera, HurriedEvent, Pulse, clip


class Caller(Nobody):
    """Asks for something after so many processed frames."""

    def __init__(self, inbox: Inbox, asks: dict[int, CommandName]) -> None:
        self._inbox, self._asks, self._seen = inbox, asks, 0

    def show(self, frame: Frame, seen: Observation) -> None:
        del frame, seen
        self._seen += 1
        if self._seen in self._asks:
            self._inbox.put(Command(self._asks[self._seen], f"at {self._seen}"))


class PausedStop(HurriedEvent):
    """Does something at the n-th wait: while a service is paused, waiting is all it does."""

    def __init__(self, at: int, action: Callable[[], object]) -> None:
        super().__init__()
        self._at, self._action = at, action

    def wait(self, timeout: float | None = None) -> bool:
        super().wait(timeout)
        if len(self.waits) == self._at:
            self._action()
        return self.is_set()


@dataclass
class Told:
    """One service, and what it was asked and told."""

    asks: dict[int, CommandName]
    inbox: Inbox = field(default_factory=Inbox)
    pulse: Pulse = field(default_factory=Pulse)
    sink: MemorySink = field(default_factory=MemorySink)
    session: Session = field(default_factory=lambda: Session(ManualClock()))
    stop: HurriedEvent = field(default_factory=HurriedEvent)
    load: Callable[[], Config] | None = None
    max_frames: int | None = None

    def over(self, source: FakeSource) -> int:
        """Run over a source; returns the number of processed frames."""
        around = Surroundings(
            clock=ManualClock(),
            stop=self.stop,
            heartbeat=self.pulse,
            audience=Caller(self.inbox, self.asks),
            max_frames=self.max_frames,
            inbox=self.inbox,
            load=self.load,
        )
        return Service(Config(), pipeline(DiscDetector()), source, [self.sink], around, self.session).run()

    @property
    def payloads(self) -> list[dict[str, Any]]:
        return [json.loads(message.to_json()) for message in self.sink.messages]

    @property
    def results(self) -> list[tuple[str, bool]]:
        return [(payload["id"], payload["ok"]) for payload in self.payloads if "ok" in payload]

    @property
    def cameras(self) -> list[str]:
        return [payload["camera"] for payload in self.payloads if "camera" in payload]

    @property
    def ends(self) -> list[str]:
        return [payload["end_reason"] for payload in self.payloads if payload.get("event_type") == "emotion_ended"]


def test_a_pause_closes_the_camera_and_a_resume_opens_it_again() -> None:
    told = Told({20: "pause"}, max_frames=40)
    told.stop = PausedStop(3, lambda: told.inbox.put(Command("resume", "later")))
    camera = Camera(told.pulse, [100, 100])

    processed = told.over(camera)

    assert (processed, camera.openings) == (40, 2)
    assert told.cameras == ["connecting", "running", "paused", "running", "ended"]
    assert told.ends == ["paused", "shutdown"]
    assert told.results == [("at 20", True), ("later", True)]


def test_the_answer_to_a_pause_comes_after_the_camera_is_closed_and_told() -> None:
    told = Told({5: "pause"}, max_frames=10)
    told.stop = PausedStop(2, lambda: told.inbox.put(Command("resume")))

    told.over(Camera(told.pulse, [100, 100]))

    order = [payload.get("camera", payload.get("command")) for payload in told.payloads]
    assert order.index("paused") < order.index("pause")


def test_a_stop_during_a_pause_processes_no_further_frame() -> None:
    told = Told({10: "pause"})
    told.stop = stop = PausedStop(3, lambda: stop.set())  # noqa: PLW0108  `stop` is not there yet

    processed = told.over(clip(30))

    assert processed == 10
    assert told.cameras == ["connecting", "running", "paused", "ended"]


def test_a_camera_that_is_lost_can_be_paused() -> None:
    told = Told({20: "pause"}, max_frames=40)
    told.stop = PausedStop(4, lambda: told.inbox.put(Command("resume", "later")))
    camera = Camera(told.pulse, [20, None, 100])

    processed = told.over(camera)

    assert processed == 40
    assert "paused" in told.cameras
    assert told.results == [("at 20", True), ("later", True)]


def test_a_resume_without_a_pause_does_nothing() -> None:
    told = Told({3: "resume"})

    told.over(clip(5))

    assert told.results == [("at 3", True)]
    assert told.cameras == ["connecting", "running", "ended"]


def test_a_pause_outlives_a_reload() -> None:
    told = Told({})
    told.session.paused = True
    told.stop = PausedStop(3, lambda: told.inbox.put(Command("resume")))

    processed = told.over(clip(5))

    assert processed == 5
    assert told.cameras == ["connecting", "paused", "running", "ended"]


def test_a_program_without_a_configuration_file_refuses_to_load_it_again() -> None:
    told = Told({3: "reload"})

    processed = told.over(clip(5))

    assert processed == 5
    assert told.results == [("at 3", False)]
    assert "reloading" not in told.pulse.heard


def test_a_configuration_that_is_wrong_changes_nothing_and_is_told(caplog: pytest.LogCaptureFixture) -> None:
    def load() -> Config:
        raise ConfigError("config.toml:3: unknown key 'hots'; did you mean 'host'?")

    told = Told({3: "reload"}, load=load)

    processed = told.over(clip(5))

    assert processed == 5
    assert told.results == [("at 3", False)]
    (event,) = [payload for payload in told.payloads if payload.get("event_type") == "system"]
    assert "did you mean 'host'" in event["message"]
    statuses = [(payload["state"], len(payload["reasons"])) for payload in told.payloads if "camera" in payload]
    assert statuses == [("starting", 0), ("running", 0), ("degraded", 1), ("stopping", 1)]
    signs = [sign for sign in told.pulse.heard if sign in {"ready", "reloading"}]
    assert signs == ["ready", "reloading", "ready"]
    assert caplog.text.count("the old one is kept") == 1


def test_a_configuration_that_is_right_ends_the_service_without_a_goodbye() -> None:
    told = Told({13: "reload"}, load=Config)

    processed = told.over(clip(30))

    assert processed == 14
    assert told.session.wanted == Config()
    assert told.ends == ["paused"]
    assert told.cameras == ["connecting", "running"]
    assert "stopping" not in told.pulse.heard
    assert told.results == []  # the next service answers, once it is up


def test_the_next_service_goes_on_counting_and_answers() -> None:
    first = Told({13: "reload"}, load=Config)
    first.over(clip(30))
    first.session.wanted = None
    second = Told({}, session=first.session)

    second.over(clip(20))

    assert second.results == [("at 13", True)]
    events = [payload for told in (first, second) for payload in told.payloads if "event_type" in payload]
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert len({event["boot_id"] for event in events}) == 1
    assert [event["track_id"] for event in events if event["event_type"] == "face_appeared"] == [1, 2]


def test_a_pause_with_a_reload_behind_it_is_answered_by_the_next_service() -> None:
    first = Told({}, load=Config)
    first.inbox.put(Command("pause", "p"))
    first.inbox.put(Command("reload", "r"))
    first.over(Camera(first.pulse, [100]))
    first.session.wanted = None
    second = Told({}, session=first.session)
    second.stop = PausedStop(2, lambda: second.inbox.put(Command("resume", "u")))

    second.over(clip(5))

    assert first.results == []
    assert second.results == [("r", True), ("p", True), ("u", True)]


def test_of_two_refused_reloads_each_is_answered() -> None:
    def load() -> Config:
        raise ConfigError("config.toml:3: unknown key 'hots'")

    told = Told({}, load=load)
    told.inbox.put(Command("reload", "a"))
    told.inbox.put(Command("reload", "b"))

    told.over(clip(5))

    assert told.results == [("a", False), ("b", False)]
