"""Checking a machine, here a folder with the files Linux shows: each missing piece is named with its remedy."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from firmware_config.apply import apply
from firmware_config.check import check_device, check_profiles, fitting_profiles
from firmware_config.model import Device
from firmware_config.plan import plan
from firmware_config.profiles import choose, load_profile, profile_names


def put(root: Path, name: str, text: str = "") -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.fixture
def device() -> Device:
    return choose(load_profile("pi4-coral-usb"), "auto")


@pytest.fixture
def machine(card: Path, device: Device) -> Path:
    """Return a Pi 4 on which everything is as the profile says."""
    apply(plan(device, card), card)
    put(card, "proc/device-tree/model", "Raspberry Pi 4 Model B Rev 1.5\0")
    put(card, "proc/cmdline", (card / "boot/firmware/cmdline.txt").read_text())
    put(card, "sys/fs/cgroup/cgroup.controllers", "cpuset cpu io memory pids\n")
    put(card, "dev/video0")
    put(card, "sys/bus/usb/devices/2-1/idVendor", "1a6e\n")
    put(card, "sys/bus/usb/devices/2-1/idProduct", "089a\n")
    put(card, "etc/group", "root:x:0:\nvideo:x:44:emotion-edge\nplugdev:x:46:pi,emotion-edge\n")
    return card


def states(device: Device, machine: Path) -> dict[str, str]:
    return {finding.subject: finding.state for finding in check_device(device, machine)}


def failure(device: Device, machine: Path) -> str:
    failed = [finding for finding in check_device(device, machine) if finding.state == "failed"]
    assert len(failed) == 1, failed
    return f"{failed[0].subject}: {failed[0].detail}"


def test_a_machine_as_the_profile_says_is_ok(device: Device, machine: Path) -> None:
    assert set(states(device, machine).values()) == {"ok"}
    assert len(states(device, machine)) == 7


def test_the_accelerator_is_known_by_its_second_name_too(device: Device, machine: Path) -> None:
    put(machine, "sys/bus/usb/devices/2-1/idVendor", "18d1\n")
    put(machine, "sys/bus/usb/devices/2-1/idProduct", "9302\n")

    assert states(device, machine)["accelerator"] == "ok"


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("proc/device-tree/model", "Raspberry Pi 5 Model B Rev 1.0\0", "board: found Raspberry Pi 5 .*fit: pi5"),
        ("etc/udev/rules.d/60-emotion-edge.rules", "", "files: etc/udev/.*emotion-firmware apply pi4-coral-usb"),
        ("proc/cmdline", "quiet", "command line: the running kernel has no cgroup_enable=memory; restart"),
        ("sys/fs/cgroup/cgroup.controllers", "cpu pids", "memory limits: .*MemoryMax"),
        ("sys/bus/usb/devices/2-1/idVendor", "0bda", "accelerator: USB device 1a6e:089a or 18d1:9302 is not there"),
        ("etc/group", "video:x:44:emotion-edge\n", "user: emotion-edge is not in the group plugdev; .*sysusers"),
    ],
)
def test_a_missing_piece_is_named_with_its_remedy(
    device: Device, machine: Path, name: str, text: str, expected: str
) -> None:
    put(machine, name, text)

    found = failure(device, machine)

    assert re.match(expected, found), found


def test_the_remedy_for_files_names_profile_camera_and_partition_as_they_were_given(card: Path, tmp_path: Path) -> None:
    device, boot = choose(load_profile("pi4"), "imx708"), card / "boot/firmware"

    findings = check_device(device, card, boot, f"{tmp_path}/my own.toml")

    (found,) = [finding for finding in findings if finding.subject == "files"]
    command = f"emotion-firmware apply '{tmp_path}/my own.toml' {card} --camera imx708 --boot {boot}"
    assert f"run `{command}` and restart" in found.detail


def test_a_missing_camera_is_a_failure(device: Device, machine: Path) -> None:
    (machine / "dev/video0").unlink()

    assert "camera: no /dev/video*" in failure(device, machine)


def test_a_pci_accelerator_is_looked_for_as_a_device_node(tmp_path: Path) -> None:
    device = choose(load_profile("coral-dev-board"), "auto")

    before = states(device, tmp_path)["accelerator"]
    put(tmp_path, "dev/apex_0")

    assert (before, states(device, tmp_path)["accelerator"]) == ("failed", "ok")


def test_what_a_machine_cannot_tell_is_unknown_and_not_ok(device: Device, card: Path) -> None:
    found = states(device, card)

    assert {found[subject] for subject in ("board", "command line", "memory limits")} == {"unknown"}


def test_profiles_that_fit_are_found_by_the_device_tree(machine: Path, tmp_path: Path) -> None:
    assert fitting_profiles(machine) == ("pi4", "pi4-coral-usb")
    assert fitting_profiles(tmp_path / "nothing") == ()


def test_all_shipped_profiles_are_sound() -> None:
    assert [finding.subject for finding in check_profiles()] == list(profile_names())
