"""The program's own log under a flood: similar lines are held back and counted, others pass."""

from __future__ import annotations

import io
import logging
import threading
from collections.abc import Iterator

import pytest

from edge_runtime.log_limit import ALL_TIMES, MAX_KINDS, WINDOW_S, LogLimit, limit_log
from edge_runtime.testing import ManualClock

PER_MINUTE = 5


class Journal:
    """What a handler with a limit writes."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self._stream = io.StringIO()
        self.handler = logging.StreamHandler(self._stream)
        self.handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
        limit_log([self.handler], PER_MINUTE, monotonic=self.clock.monotonic)

    @property
    def lines(self) -> list[str]:
        return self._stream.getvalue().splitlines()


@pytest.fixture
def journal() -> Iterator[Journal]:
    made, root = Journal(), logging.getLogger("flood")
    root.addHandler(made.handler)
    root.propagate = False
    yield made
    root.removeHandler(made.handler)
    root.propagate = True


def log(index: int, name: str = "flood.camera") -> None:
    logging.getLogger(name).warning("camera %d gone", index)


def test_similar_lines_pass_up_to_the_limit_whatever_their_numbers(journal: Journal) -> None:
    for index in range(100):
        log(index)

    assert journal.lines == [f"WARNING camera {index} gone" for index in range(PER_MINUTE)]


def test_when_the_minute_is_over_the_rest_is_told_and_lines_pass_again(journal: Journal) -> None:
    for index in range(100):
        log(index)
    journal.clock.advance(WINDOW_S)

    log(100)

    assert journal.lines[PER_MINUTE:] == [
        "WARNING 95 lines like 'camera %d gone' were held back",
        "WARNING camera 100 gone",
    ]


def test_any_other_line_brings_the_count_to_light(journal: Journal) -> None:
    for index in range(7):
        log(index)
    journal.clock.advance(WINDOW_S)

    logging.getLogger("flood.other").error("something else")

    assert journal.lines[-2:] == ["WARNING 2 lines like 'camera %d gone' were held back", "ERROR something else"]


def test_other_texts_levels_and_loggers_have_limits_of_their_own(journal: Journal) -> None:
    for index in range(20):
        log(index)

    log(1, name="flood.other")
    logging.getLogger("flood.camera").error("camera %d gone", 1)
    logging.getLogger("flood.camera").warning("camera %d back", 1)

    assert len(journal.lines) == PER_MINUTE + 3


def test_lines_that_are_all_different_are_bounded_together(journal: Journal) -> None:
    for index in range(3000):
        logging.getLogger("flood.library").warning(f"failed at {index}")  # noqa: G004  as some libraries do
    journal.clock.advance(WINDOW_S)
    log(1)

    bound = ALL_TIMES * PER_MINUTE
    assert 2 * MAX_KINDS < 3000  # more than are remembered
    assert journal.lines[:bound] == [f"WARNING failed at {index}" for index in range(bound)]
    assert journal.lines[-1] == f"WARNING {3001 - bound} lines of all kinds were held back"
    assert len(journal.lines) == bound + 1 + len([line for line in journal.lines if "like" in line])


def test_of_two_hundred_thousand_lines_five_pass(journal: Journal) -> None:
    record = logging.LogRecord("flood.camera", logging.ERROR, __file__, 1, "camera %d gone", (1,), None)

    (limit,) = journal.handler.filters
    assert isinstance(limit, LogLimit)
    passed = 0

    for _ in range(200_000):
        passed += limit.filter(record)

    assert passed == PER_MINUTE


def test_many_threads_pass_no_more_together(journal: Journal) -> None:
    def flood() -> None:
        for index in range(200):
            log(index)

    threads = [threading.Thread(target=flood) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=10.0)

    assert len(journal.lines) == PER_MINUTE


def test_a_new_limit_takes_the_place_of_the_old_one_and_zero_is_none() -> None:
    handler, monotonic = logging.NullHandler(), ManualClock().monotonic

    counts = []
    for per_minute in (5, 7, 0):
        limit_log([handler], per_minute, monotonic=monotonic)
        counts.append(len(handler.filters))

    assert counts == [1, 1, 0]
