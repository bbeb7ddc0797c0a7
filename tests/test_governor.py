"""Fewer frames while the board is hot, all of them when it is cool again; in steps, and never to and fro."""

from __future__ import annotations

import pytest

from edge_runtime.governor import Governor
from edge_runtime.settings import Governor as GovernorSettings

EVERY_S = 5.0
"""Between two readings."""


class Thermometer:
    """Feeds a governor readings, one every five seconds."""

    def __init__(self) -> None:
        self.governor = Governor(GovernorSettings())
        self._now = 1000.0

    def reads(self, temperature_c: float | None, *flags: str, times: int = 1) -> list[float | None]:
        limits = []
        for _ in range(times):
            self.governor.update(self._now, temperature_c=temperature_c, flags=flags)
            self._now += EVERY_S
            limits.append(self.governor.limit_fps)
        return limits


def test_a_cool_board_has_no_limit() -> None:
    assert set(Thermometer().reads(60.0, times=100)) == {None}


def test_a_hot_board_goes_down_one_step_at_a_time() -> None:
    limits = Thermometer().reads(79.0, times=20)

    # At once, and then every 30 s: six readings a step.
    assert limits == [10.0] * 6 + [5.0] * 6 + [2.0] * 8


def test_between_the_limits_nothing_changes() -> None:
    board = Thermometer()
    board.reads(80.0)

    assert set(board.reads(74.0, times=100)) == {10.0}


def test_a_board_that_cooled_down_goes_up_one_step_at_a_time() -> None:
    board = Thermometer()
    board.reads(80.0, times=7)

    limits = board.reads(65.0, times=16)

    # 30 s of coolness before each step up.
    assert limits == [5.0] * 6 + [10.0] * 6 + [None] * 4
    assert board.governor.reason is None


def test_one_warm_reading_begins_the_wait_for_coolness_anew() -> None:
    board = Thermometer()
    board.reads(80.0)

    limits = [*board.reads(65.0, times=5), *board.reads(72.0), *board.reads(65.0, times=7)]

    assert limits == [10.0] * 12 + [None]


@pytest.mark.parametrize("flag", ["under_voltage", "frequency_capped", "throttled", "soft_temperature_limit"])
def test_the_firmwares_flags_count_at_any_temperature(flag: str) -> None:
    board = Thermometer()

    assert board.reads(45.0, flag) == [10.0]
    assert board.governor.reason == f"at most 10 frames per second are processed: {flag.replace('_', ' ')}"


def test_a_board_without_a_thermometer_is_never_slowed_down() -> None:
    assert set(Thermometer().reads(None, times=50)) == {None}


def test_the_reason_names_the_temperature_at_the_step() -> None:
    board = Thermometer()
    board.reads(81.6)

    assert board.governor.reason == "at most 10 frames per second are processed: 82 degrees Celsius"
    board.reads(90.0)
    assert "82 degrees" in str(board.governor.reason)
