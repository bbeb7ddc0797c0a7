"""Every board of the firmware profiles, healthy, and one fault after the other."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_runtime.doctor import Machine, board
from edge_runtime.settings import Config
from firmware_config.model import Family
from tests.doctor.machines import BOARDS, machine, only, program, put, software, throttled_path

NO_ANSWERS = ["exit 255", "echo VCHI initialization failed", "echo throttled=0xNONSENSE"]
"""Of vcgencmd, the first one to users who may not ask."""

PIS = [name for name, facts in BOARDS.items() if facts.family is Family.RASPBERRY_PI]


@pytest.mark.parametrize("name", BOARDS)
def test_a_healthy_board_is_named_and_has_no_finding(name: str, tmp_path: Path) -> None:
    findings = board.look(machine(tmp_path, name))

    assert {finding.state for finding in findings} <= {"ok", "off"}
    models = BOARDS[name].device_tree_models
    assert only(findings, "board").found.startswith(models[0] if models else "no device tree")
    assert only(findings, "temperature").found == "48 degrees Celsius"


@pytest.mark.parametrize("name", PIS)
def test_a_healthy_raspberry_pi_says_so_of_power_and_camera_memory(name: str, tmp_path: Path) -> None:
    findings = board.look(machine(tmp_path, name))

    assert only(findings, "power").found == "no under-voltage, not throttled since the start"
    assert only(findings, "camera memory").found == "CMA 268 MB, 205 MB free"


@pytest.mark.parametrize("name", PIS)
def test_under_voltage_names_the_power_supply_of_the_board(name: str, tmp_path: Path) -> None:
    looked_at = machine(tmp_path, name)
    program(tmp_path, "vcgencmd", "echo throttled=0x50005")

    found = only(board.look(looked_at), "power")

    assert found.state == "warning"
    assert found.found == "now: under-voltage, throttled; since the start: under-voltage, throttled"
    assert next(text for model, text in board.SUPPLIES.items() if looked_at.model.startswith(model)) in found.remedy


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        ("2", "now: the clock is capped; since the start: nothing"),
        ("80008", "now: the soft temperature limit holds the clock down; since the start: the soft"),
        ("40000", "now: nothing; since the start: throttled"),
    ],
)
def test_heat_asks_for_cooling_and_not_for_a_power_supply(flags: str, told: str, tmp_path: Path) -> None:
    looked_at = machine(tmp_path)
    program(tmp_path, "vcgencmd", f"echo throttled=0x{flags}")

    found = only(board.look(looked_at), "power")

    assert found.found.startswith(told)
    assert "fan" in found.remedy


@pytest.mark.parametrize("has_file", [True, False])
def test_the_firmware_remembers_what_the_kernels_file_forgets(tmp_path: Path, *, has_file: bool) -> None:
    looked_at = machine(tmp_path)
    if not has_file:
        (tmp_path / throttled_path("pi4")).unlink()
    program(tmp_path, "vcgencmd", "echo throttled=0x50000")

    found = only(board.look(looked_at), "power")

    assert found.found == "now: nothing; since the start: under-voltage, throttled"


@pytest.mark.parametrize(
    ("flags", "state", "told"),
    [
        ("0", "ok", "no under-voltage, not throttled in the last two seconds"),
        ("40000", "warning", "now: nothing; in the last two seconds: throttled"),
        ("50004", "warning", "now: under-voltage, throttled; in the last two seconds: under-voltage, throttled"),
    ],
)
def test_the_kernels_file_tells_two_seconds_and_claims_no_more(
    flags: str, state: str, told: str, tmp_path: Path
) -> None:
    looked_at = machine(tmp_path)
    put(tmp_path, throttled_path("pi4"), f"{flags}\n")
    program(tmp_path, "vcgencmd", NO_ANSWERS[0])

    found = only(board.look(looked_at), "power")

    assert (found.state, found.found) == (state, told)


@pytest.mark.parametrize("script", NO_ANSWERS)
def test_a_firmware_that_does_not_answer_is_no_finding(script: str, tmp_path: Path) -> None:
    looked_at = machine(tmp_path)
    (tmp_path / throttled_path("pi4")).unlink()
    program(tmp_path, "vcgencmd", script)

    assert only(board.look(looked_at), "power").state == "off"


def test_heat_is_a_warning(tmp_path: Path) -> None:
    looked_at = machine(tmp_path)
    put(tmp_path, "sys/class/thermal/thermal_zone0/temp", "84100\n")

    found = only(board.look(looked_at), "temperature")

    assert (found.state, found.found) == ("warning", "84 degrees Celsius")


@pytest.mark.parametrize(
    ("cma", "remedy"),
    [
        ("CmaTotal: 8192 kB\nCmaFree: 8000 kB\n", "dtoverlay=vc4-kms-v3d,cma-128"),
        ("CmaTotal: 65536 kB\nCmaFree: 900 kB\n", "multi-user.target"),
    ],
)
def test_little_camera_memory_names_the_line_to_change(cma: str, remedy: str, tmp_path: Path) -> None:
    looked_at = machine(tmp_path, "pi-zero-2w")
    put(tmp_path, "proc/meminfo", f"MemTotal: 436000 kB\nMemAvailable: 300000 kB\n{cma}")

    found = only(board.look(looked_at), "camera memory")

    assert found.state == "warning"
    assert remedy in found.remedy


def test_little_memory_is_a_warning_and_swap_is_told(tmp_path: Path) -> None:
    looked_at = machine(tmp_path, "pi-zero-2w")
    put(tmp_path, "proc/meminfo", "MemTotal: 436000 kB\nMemAvailable: 60000 kB\nSwapTotal: 102396 kB\n")

    found = only(board.look(looked_at), "memory")

    assert (found.state, found.found) == ("warning", "446 MB, 61 MB available, 105 MB swap")


def test_a_machine_that_shows_nothing_has_no_finding(tmp_path: Path) -> None:
    findings = board.look(Machine(tmp_path))

    assert [finding.state for finding in findings] == ["ok", "off", "off", "off", "off"]


@pytest.mark.parametrize("name", BOARDS)
def test_every_section_reports_on_every_board(name: str, tmp_path: Path) -> None:
    from edge_runtime.doctor import examine, exit_code
    from edge_runtime.settings import Source

    config = Config(source=Source(uri="demo"))

    report = examine(config, machine(tmp_path, name), software())

    assert list(report) == ["Board", "Software", "Camera", "Network", "Storage", "Service"]
    assert all(report.values())
    assert exit_code(report) == 0, [finding for found in report.values() for finding in found]
