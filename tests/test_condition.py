from __future__ import annotations

import pytest

from edge_runtime.condition import About, Condition
from edge_runtime.heartbeat import Silence
from edge_runtime.payloads import OutMessage, Status
from edge_runtime.testing import ManualClock
from tests.samples import BOOT_ID


class Told(Silence):
    """Keeps statuses and lines."""

    def __init__(self) -> None:
        self.statuses: list[Status] = []
        self.lines: list[str] = []

    def take(self, message: OutMessage) -> None:
        assert isinstance(message.payload, Status)
        self.statuses.append(message.payload)

    def status(self, text: str) -> None:
        self.lines.append(text)


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def condition(told: Told) -> Condition:
    about = About("kiosk-1", BOOT_ID, "cpu", {"emotion": "emotion 1"}, {"emotion-edge": "0"})
    return Condition(about, clock=ManualClock(), send=told.take, heartbeat=told)


def test_a_part_with_a_problem_degrades_what_runs_and_is_told_once(condition: Condition, told: Told) -> None:
    condition.tell("running", camera="running")

    condition.note("jsonl", "log: No space left on device")
    condition.note("jsonl", "log: No space left on device")
    condition.note("mqtt", "mqtt: Connection refused")
    condition.note("jsonl", None)
    condition.note("mqtt", None)
    condition.note("mqtt", None)

    assert [(status.state, status.reasons) for status in told.statuses] == [
        ("running", ()),
        ("degraded", ("log: No space left on device",)),
        ("degraded", ("log: No space left on device", "mqtt: Connection refused")),
        ("degraded", ("mqtt: Connection refused",)),
        ("running", ()),
    ]
    assert told.lines[1] == "degraded, camera running: log: No space left on device"


def test_problems_before_the_start_are_told_with_the_first_running(condition: Condition, told: Told) -> None:
    condition.note("configuration", "the new configuration is not used: x")
    condition.tell("starting", camera="connecting")
    condition.tell("running", camera="running")

    assert [status.state for status in told.statuses] == ["starting", "degraded"]


def test_a_pause_says_its_reason_beside_the_problems(condition: Condition, told: Told) -> None:
    condition.note("mqtt", "mqtt: Connection refused")
    condition.tell("running", camera="paused", reasons=("paused by a command",))

    assert told.statuses[-1].reasons == ("paused by a command", "mqtt: Connection refused")
    assert told.statuses[-1].camera == "paused"
