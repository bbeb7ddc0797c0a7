"""How fast a board can be: the table, and which row a machine gets."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_runtime.speed_limits import BOARDS, CORAL_FAST, CORAL_USB_2, SpeedLimits, speed_limits
from firmware_config.profiles import load_profile, profile_names
from tests.doctor.machines import coral_stick, machine, put


@pytest.mark.parametrize(
    ("board", "mmac", "limit_ms", "ref_ms"),
    [
        ("Raspberry Pi Zero 2", 25.0, 0.8, 2.8),
        ("Raspberry Pi Zero 2", 80.0, 2.5, 9.0),
        ("Raspberry Pi 3", 25.0, 0.66, 2.4),
        ("Raspberry Pi 4", 80.0, 1.4, 3.4),
        ("Raspberry Pi 5", 25.0, 0.08, 0.33),
        ("Raspberry Pi 5", 80.0, 0.26, 1.07),
    ],
)
def test_times_follow_from_the_rates(board: str, mmac: float, limit_ms: float, ref_ms: float) -> None:
    limits = BOARDS[board]

    assert limits.limit_ms(mmac, 0) == pytest.approx(limit_ms, rel=0.03)
    assert limits.ref_ms(mmac) == pytest.approx(ref_ms, rel=0.03)


def test_a_net_with_many_weights_and_little_work_is_bound_by_the_memory() -> None:
    limits = SpeedLimits(peak_gmac_s=10.0, published_gmac_s=1.0, memory_gb_s=2.0)

    assert limits.limit_ms(10.0, 1_000_000) == 1.0
    assert limits.limit_ms(10.0, 8_000_000) == 4.0


def test_an_accelerator_is_bound_by_its_transport() -> None:
    assert CORAL_USB_2.ref_ms(25.0) == CORAL_USB_2.ref_ms(80.0) == 5.0
    assert CORAL_FAST.limit_ms(80.0, 1_000_000) == 0.04


@pytest.mark.parametrize("name", sorted({load_profile(name).board.name for name in profile_names()}))
def test_every_raspberry_pi_of_the_profiles_has_a_reference_and_no_other_board(name: str, tmp_path: Path) -> None:
    machine(tmp_path, name)

    limits = speed_limits("cpu", tmp_path)

    assert (limits is not None) is name.startswith("pi")


@pytest.mark.parametrize(("speed", "limits"), [("5000", CORAL_FAST), ("480", CORAL_USB_2)])
def test_a_stick_is_judged_by_its_socket(speed: str, limits: SpeedLimits, tmp_path: Path) -> None:
    coral_stick(tmp_path, speed=speed)

    assert speed_limits("edgetpu:usb:0", tmp_path) is limits


def test_a_module_on_pcie_is_judged_as_a_fast_one(tmp_path: Path) -> None:
    assert speed_limits("edgetpu:pci:0", tmp_path) is CORAL_FAST


@pytest.mark.parametrize(("device", "product"), [("edgetpu", "4ee7"), ("edgetpu:pci:0", "9302")])
def test_what_else_hangs_on_usb_2_does_not_slow_the_accelerator(device: str, product: str, tmp_path: Path) -> None:
    # 18d1 is Google's number: its phones have it as well.
    for name, text in {"idVendor": "18d1", "idProduct": product, "speed": "480"}.items():
        put(tmp_path, f"sys/bus/usb/devices/1-1/{name}", f"{text}\n")

    assert speed_limits(device, tmp_path) is CORAL_FAST
