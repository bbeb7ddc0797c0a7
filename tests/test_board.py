"""What a board's files say, and that missing or odd ones are no trouble."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_runtime.board import Board
from tests.boards import raspberry_pi, write


@pytest.mark.parametrize("pi5", [False, True])
def test_a_raspberry_pi_says_how_hot_it_is_and_what_its_firmware_does(tmp_path: Path, *, pi5: bool) -> None:
    board = raspberry_pi(tmp_path, millidegrees=79123, throttled="50005", pi5=pi5)

    throttling = board.throttling()

    assert board.temperature_c() == pytest.approx(79.123)
    assert throttling is not None
    assert throttling.now == ("under_voltage", "throttled")
    assert throttling.lately == ("under_voltage", "throttled")


def test_what_has_been_is_told_apart_from_what_is(tmp_path: Path) -> None:
    throttling = raspberry_pi(tmp_path, throttled="80000").throttling()

    assert throttling is not None
    assert (throttling.now, throttling.lately) == ((), ("soft_temperature_limit",))


def test_under_voltage_since_the_kernel_asked_last_counts_as_now(tmp_path: Path) -> None:
    throttling = raspberry_pi(tmp_path, throttled="50000").throttling()

    assert throttling is not None
    assert throttling.now == ("under_voltage",)
    assert throttling.lately == ("under_voltage", "throttled")


def test_the_hottest_zone_of_the_processor_counts(tmp_path: Path) -> None:
    zones = [("gpu-thermal", 99000), ("cpu-thermal", 50000), ("soc-thermal", 61000)]
    for number, (kind, millidegrees) in enumerate(zones):
        write(tmp_path / f"sys/class/thermal/thermal_zone{number}/type", kind)
        write(tmp_path / f"sys/class/thermal/thermal_zone{number}/temp", str(millidegrees))

    assert Board(tmp_path).temperature_c() == 61.0


def test_without_a_zone_of_that_name_the_first_one_counts(tmp_path: Path) -> None:
    write(tmp_path / "sys/class/thermal/thermal_zone0/temp", "42000")
    write(tmp_path / "sys/class/thermal/thermal_zone1/temp", "77000")

    assert Board(tmp_path).temperature_c() == 42.0


def test_a_board_without_these_files_knows_nothing(tmp_path: Path) -> None:
    board = Board(tmp_path)

    assert (board.temperature_c(), board.throttling(), board.memory_mb()) == (None, None, None)


@pytest.mark.parametrize("text", ["", "nonsense", "-", "\x00\x00"])
def test_files_that_say_nonsense_count_as_missing(tmp_path: Path, text: str) -> None:
    write(tmp_path / "sys/class/thermal/thermal_zone0/temp", text)
    write(tmp_path / "sys/devices/platform/soc/soc:firmware/get_throttled", text)
    write(tmp_path / "proc/self/statm", text)
    board = Board(tmp_path)

    assert (board.temperature_c(), board.throttling(), board.memory_mb()) == (None, None, None)


def test_this_process_holds_some_memory() -> None:
    used_mb = Board().memory_mb()

    assert used_mb is not None
    assert 10 < used_mb < 20_000
