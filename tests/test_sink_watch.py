"""What is said about sinks, second by second, on a clock of the test's own."""

from __future__ import annotations

from collections import Counter

import pytest

from edge_runtime.sink_watch import LOOK_EVERY_S, PATIENCE_S, QUIET_S, SinkWatch
from edge_runtime.testing import ManualClock, MemorySink


class Troubled(MemorySink):
    """A sink that says what the test makes it say."""

    def __init__(self, name: str = "mqtt") -> None:
        super().__init__()
        self.name = name
        self.problem: str | None = None
        self.dropped: Counter[str] = Counter()


def watched(*sinks: MemorySink) -> tuple[SinkWatch, ManualClock]:
    clock = ManualClock()
    return SinkWatch(sinks, clock), clock


def after(watch: SinkWatch, clock: ManualClock, seconds: float) -> dict[str, str | None]:
    """Look every second for so long; what was said last."""
    said: dict[str, str | None] = {}
    for _ in range(round(seconds / LOOK_EVERY_S)):
        clock.advance(LOOK_EVERY_S)
        said = dict(watch.look())
    return said


def test_a_problem_is_told_when_it_lasts_and_taken_back_at_once() -> None:
    sink = Troubled()
    watch, clock = watched(sink)

    sink.problem = "mqtt: broker:1883: Connection refused"
    early, late = after(watch, clock, PATIENCE_S), after(watch, clock, 1)
    sink.problem = None
    well = after(watch, clock, 1)

    assert (early, late, well) == ({"mqtt": None}, {"mqtt": "mqtt: broker:1883: Connection refused"}, {"mqtt": None})


def test_a_problem_that_comes_and_goes_quickly_is_none() -> None:
    sink = Troubled()
    watch, clock = watched(sink)

    for _ in range(5):
        sink.problem = "mqtt: connection lost"
        assert after(watch, clock, PATIENCE_S - 1) == {"mqtt": None}
        sink.problem = None
        assert after(watch, clock, 1) == {"mqtt": None}


def test_lost_events_are_told_without_numbers_until_it_is_quiet() -> None:
    sink = Troubled()
    watch, clock = watched(sink)
    said = []

    for _ in range(3):
        sink.dropped["queue_full"] += 7
        said.append(after(watch, clock, 1)["mqtt"])
    still, quiet = after(watch, clock, QUIET_S - 1)["mqtt"], after(watch, clock, 1)["mqtt"]

    assert said == ["mqtt: loses messages (queue_full)"] * 3
    assert (still, quiet) == ("mqtt: loses messages (queue_full)", None)


@pytest.mark.parametrize("reason", ["not_connected", "slow_broker", "closed", "close"])
def test_streams_without_a_listener_are_no_loss(reason: str) -> None:
    sink = Troubled()
    watch, clock = watched(sink)

    sink.dropped[reason] += 100

    assert after(watch, clock, 20) == {"mqtt": None}


def test_what_was_lost_before_is_no_news() -> None:
    sink = Troubled()
    sink.dropped["disk"] = 5

    watch, clock = watched(sink)

    assert after(watch, clock, 2) == {"mqtt": None}


def test_sinks_are_looked_at_once_a_second_and_each_by_itself() -> None:
    full, well, plain = Troubled("jsonl"), Troubled("mqtt"), MemorySink()
    full.problem = "log: No space left on device"
    watch, clock = watched(full, well, plain)

    first, again = dict(watch.look()), dict(watch.look())

    assert first == {"jsonl": None, "mqtt": None, "memory": None}
    assert again == {}
    assert after(watch, clock, PATIENCE_S)["jsonl"] == "log: No space left on device"
