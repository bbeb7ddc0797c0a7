"""The Coral accelerator: each thing that keeps it from being used."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_runtime.doctor import Finding, Machine
from edge_runtime.doctor.accelerator import look
from tests.doctor.machines import LITERT, USER, coral_stick, library, machine, only, put, software

LIBRARY = "usr/lib/aarch64-linux-gnu/libedgetpu.so.1"


def findings(looked_at: Machine, device: str = "edgetpu", **libraries: object) -> list[Finding]:
    """Look with the libraries of a healthy board."""
    return look(looked_at, software(**libraries), device)


def test_none_is_none_where_none_is_wanted(tmp_path: Path) -> None:
    (found,) = findings(machine(tmp_path), "cpu")

    assert found.state == "off"


def test_one_that_is_wanted_and_not_there_fails_with_the_code_of_a_model(tmp_path: Path) -> None:
    found = only(findings(machine(tmp_path)), "accelerator")

    assert (found.state, found.exit_code) == ("failed", 5)
    assert "1a6e:089a" in found.found
    assert "18d1:9302" in found.found


@pytest.mark.parametrize(("usb_id", "told"), [("1a6e:089a", "before its first use"), ("18d1:9302", "in use before")])
def test_a_stick_is_known_by_both_of_its_names(usb_id: str, told: str, tmp_path: Path) -> None:
    looked_at = machine(tmp_path)
    coral_stick(tmp_path, usb_id)
    library(tmp_path / LIBRARY, 65536)

    found = findings(looked_at)

    assert [finding.state for finding in found] == ["ok", "ok", "ok"]
    assert found[0].found == f"USB {usb_id} ({told}, 5000 Mbit/s)"
    assert found[2].found.startswith(f"/{LIBRARY} beside ai-edge-litert 2.3.0")


def test_a_stick_in_a_usb_2_socket_is_told(tmp_path: Path) -> None:
    looked_at = machine(tmp_path)
    coral_stick(tmp_path, speed="480")

    found = only(findings(looked_at), "accelerator")

    assert found.state == "warning"
    assert "blue socket" in found.remedy


def test_a_stick_of_another_group_names_the_command_that_joins_it(tmp_path: Path) -> None:
    healthy = machine(tmp_path)
    put(tmp_path, "etc/group", f"plugdev:x:{coral_stick(tmp_path).stat().st_gid}:\n")
    put(tmp_path, "etc/passwd", f"pi:x:{USER}:{USER}::/home/pi:/bin/bash\n")
    stranger = Machine(healthy.root, uid=USER, gids=frozenset({USER}))

    found = only(findings(stranger), "accelerator node")

    assert (found.state, found.exit_code) == ("failed", 5)
    assert found.remedy == "sudo usermod --append --groups plugdev pi, then log in again"


def test_a_stick_without_a_udev_rule_is_roots_and_names_the_profile(tmp_path: Path) -> None:
    healthy = machine(tmp_path)
    put(tmp_path, "etc/group", f"root:x:{coral_stick(tmp_path).stat().st_gid}:\n")
    stranger = Machine(healthy.root, uid=USER, gids=frozenset({USER}))

    found = only(findings(stranger), "accelerator node")

    assert found.remedy.startswith("sudo emotion-firmware apply PROFILE /")


def test_a_module_on_pcie_is_known_by_its_node(tmp_path: Path) -> None:
    looked_at = machine(tmp_path, "pi5")
    put(tmp_path, "dev/apex_0", "", mode=0o660)

    found = findings(looked_at, "edgetpu:pci:0")

    assert only(found, "accelerator").found == "/dev/apex_0"
    assert only(found, "accelerator node").state == "ok"


def test_a_library_for_smaller_pages_names_the_kernel_to_take(tmp_path: Path) -> None:
    looked_at = machine(tmp_path, "pi5")
    coral_stick(tmp_path)
    library(tmp_path / LIBRARY, 4096)

    found = only(findings(looked_at, page_bytes=16384), "accelerator library")

    assert found.state == "failed"
    assert "kernel=kernel8.img" in found.remedy


def test_the_wrong_pycoral_is_told(tmp_path: Path) -> None:
    looked_at = machine(tmp_path)
    coral_stick(tmp_path)
    library(tmp_path / LIBRARY, 65536)

    found = only(findings(looked_at, versions={**LITERT, "pycoral": "0.0.1"}), "accelerator library")

    assert "not Google's" in found.found
    assert "uninstall --yes pycoral" in found.remedy


def test_a_stick_that_nobody_uses_is_a_warning_and_not_a_failure(tmp_path: Path) -> None:
    looked_at = machine(tmp_path)
    coral_stick(tmp_path)

    found = findings(looked_at, "cpu")

    assert {finding.state for finding in found} == {"ok", "warning"}
    assert only(found, "accelerator library").found == "libedgetpu.so.1 is not installed"
