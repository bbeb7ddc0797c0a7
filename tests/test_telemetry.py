"""Figures since the start and since the last telemetry."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_runtime.board import Board
from edge_runtime.interfaces import Sink
from edge_runtime.telemetry import Figures, TelemetryWriter
from edge_runtime.testing import ManualClock, MemorySink
from tests.boards import raspberry_pi


class Broker(MemorySink):
    """A sink that tells what the MQTT sink tells."""

    def __init__(self) -> None:
        super().__init__()
        self.name = "mqtt"
        self.connected, self.pending, self.oldest_age_s = False, 41, 12.34


class Drops:
    """A capture that dropped some frames."""

    def __init__(self, dropped: int) -> None:
        self.dropped = dropped
        self.left_out: dict[str, int] = {}


def writer(clock: ManualClock, board: Board, *sinks: Sink) -> TelemetryWriter:
    figures = Figures(clock)
    figures.left_out.update({"slowed": 3, "damaged": 1})
    return TelemetryWriter("kiosk-1", figures, board, sinks, clock)


def test_rate_and_latencies_count_since_the_last_telemetry_and_frames_since_the_start(tmp_path: Path) -> None:
    clock = ManualClock()
    telemetry = writer(clock, Board(tmp_path))
    for latency_ms in range(1, 101):
        clock.advance(0.1)
        telemetry.figures.frame(clock.monotonic() - latency_ms / 1000)

    first = telemetry.write(None)
    clock.advance(10.0)
    telemetry.figures.frame(clock.monotonic() - 0.02)
    second = telemetry.write(None)

    assert (first.fps, first.frames_processed, first.uptime_s) == (10.0, 100, 10.0)
    assert first.latency_ms == {"p50": 50.0, "p95": 95.0}
    assert (second.fps, second.frames_processed, second.uptime_s) == (0.1, 101, 20.0)
    assert second.latency_ms == {"p50": 20.0, "p95": 20.0}


def test_without_frames_the_rate_is_zero_and_there_is_no_latency(tmp_path: Path) -> None:
    clock = ManualClock()
    telemetry = writer(clock, Board(tmp_path))
    clock.advance(60.0)

    told = telemetry.write(None)

    assert (told.fps, told.latency_ms) == (0.0, None)


def test_drops_are_told_by_reason_over_all_captures(tmp_path: Path) -> None:
    clock = ManualClock()
    telemetry = writer(clock, Board(tmp_path))
    telemetry.figures.reading(Drops(5))
    telemetry.figures.reading(Drops(2))

    assert telemetry.write(None).frames_dropped == {"newer_frame": 7, "slowed": 3, "damaged": 1}


def test_board_broker_and_limit_are_told(tmp_path: Path) -> None:
    board = raspberry_pi(tmp_path, millidegrees=79250, throttled="20002", memory_mb=151.0)

    told = writer(ManualClock(), board, MemorySink(), Broker()).write(5.0)

    assert told.limit_fps == 5.0
    assert told.temperature_c == pytest.approx(79.25)
    assert told.throttled == ("frequency_capped",)
    assert told.throttled_since_boot == ("frequency_capped",)
    assert told.memory_mb == pytest.approx(151.0, abs=0.1)
    assert (told.mqtt_connected, told.outbox_messages, told.outbox_oldest_age_s) == (False, 41, 12.3)


def test_what_the_firmware_did_is_remembered_since_the_start(tmp_path: Path) -> None:
    telemetry = writer(ManualClock(), raspberry_pi(tmp_path, throttled="8"))
    told = [telemetry.write(None).throttled_since_boot]

    for flags in ("10000", "0"):  # the kernel's file forgets with every question to the firmware
        raspberry_pi(tmp_path, throttled=flags)
        told.append(telemetry.write(None).throttled_since_boot)

    assert told == [("soft_temperature_limit",), *[("under_voltage", "soft_temperature_limit")] * 2]


def test_what_there_is_not_is_absent(tmp_path: Path) -> None:
    told = writer(ManualClock(), Board(tmp_path)).write(None)

    absent = (told.temperature_c, told.throttled, told.throttled_since_boot, told.memory_mb)
    assert absent == (None,) * 4
    assert (told.mqtt_connected, told.outbox_messages) == (None, None)


def test_latencies_are_bounded_in_number(tmp_path: Path) -> None:
    telemetry = writer(ManualClock(), Board(tmp_path))
    for _ in range(5000):
        telemetry.figures.frame(-9.0)
    for _ in range(4096):
        telemetry.figures.frame(0.0)

    assert telemetry.write(None).latency_ms == {"p50": 0.0, "p95": 0.0}
