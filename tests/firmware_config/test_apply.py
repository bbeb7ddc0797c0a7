"""Applying a profile to a mounted card: shown first, backed up, idempotent, and taken back by the next profile."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from firmware_config.apply import BACKUPS, ORIGINAL, apply
from firmware_config.errors import BootPartitionError
from firmware_config.model import Device
from firmware_config.plan import Placement, plan, plan_removal
from firmware_config.profiles import choose, load_profile
from firmware_config.render import system_files
from tests.firmware_config.conftest import STOCK_CMDLINE, STOCK_CONFIG


def device_of(name: str, camera: str = "auto") -> Device:
    return choose(load_profile(name), camera)


def tree(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_applied_files_are_the_rendered_ones(card: Path) -> None:
    device = device_of("pi5-coral-m2", "imx708")

    apply(plan(device, card), card)

    assert {name: tree(card)[name].decode() for name in system_files(device)} == system_files(device)


def test_applying_twice_changes_nothing_the_second_time(card: Path) -> None:
    device = device_of("pi4-coral-usb")
    apply(plan(device, card), card)
    once = tree(card)

    second = plan(device, card)
    backup = apply(second, card)

    assert second.changes == ()
    assert backup is None
    assert tree(card) == once


def test_replaced_files_are_backed_up_as_they_were(card: Path) -> None:
    boot = card / "boot/firmware"

    backup = apply(plan(device_of("pi4"), card), card)

    assert backup == card / BACKUPS / "0001"
    assert (backup / "boot/firmware/config.txt").read_text() == STOCK_CONFIG
    assert (backup / "boot/firmware/cmdline.txt").read_text() == STOCK_CMDLINE
    assert (boot / f"config.txt{ORIGINAL}").read_text() == STOCK_CONFIG


def test_the_first_backup_beside_a_boot_file_is_never_overwritten(card: Path) -> None:
    boot = card / "boot/firmware"
    apply(plan(device_of("pi5-coral-m2"), card), card)

    backup = apply(plan(device_of("pi5"), card), card)

    assert backup == card / BACKUPS / "0002"
    assert (boot / f"cmdline.txt{ORIGINAL}").read_text() == STOCK_CMDLINE


def test_another_profile_takes_back_what_the_first_added(card: Path, tmp_path: Path) -> None:
    fresh = tmp_path / "fresh"
    shutil.copytree(card, fresh)
    apply(plan(device_of("pi5"), fresh), fresh)

    apply(plan(device_of("pi5-coral-m2", "imx708"), card), card)
    apply(plan(device_of("pi5"), card), card)

    unchanged = {name: data for name, data in tree(card).items() if not name.startswith("var/")}
    assert unchanged == {name: data for name, data in tree(fresh).items() if not name.startswith("var/")}


def test_removing_takes_back_everything_a_profile_added(card: Path) -> None:
    before = tree(card)
    apply(plan(device_of("pi5-coral-m2", "imx708"), card), card)

    apply(plan_removal(card), card)

    kept = {name: data for name, data in tree(card).items() if not name.startswith("var/") and ORIGINAL not in name}
    assert kept == before
    assert plan_removal(card).changes == ()


def test_a_kernel_word_that_was_there_before_stays_when_ours_are_removed(card: Path) -> None:
    cmdline = card / "boot/firmware/cmdline.txt"
    own = "root=/dev/sda2 rootwait cgroup_enable=memory\n"
    cmdline.write_text(own)
    for name in ("pi5-coral-m2", "pi5-coral-m2", "pi5"):
        apply(plan(device_of(name), card), card)

    apply(plan_removal(card), card)

    assert cmdline.read_text() == own


def test_applying_again_does_not_forget_which_kernel_words_are_ours(card: Path) -> None:
    cmdline = card / "boot/firmware/cmdline.txt"
    for camera in ("auto", "imx708"):
        apply(plan(device_of("pi4", camera), card), card)

    assert "cgroup_enable=memory" in cmdline.read_text()
    apply(plan_removal(card), card)

    assert cmdline.read_text() == STOCK_CMDLINE


def test_bytes_that_are_not_utf_8_survive_applying_and_removing(card: Path) -> None:
    boot = card / "boot/firmware"
    config, cmdline = "# caf\xe9\n".encode("latin-1") + STOCK_CONFIG.encode(), b"root=/dev/sda2 name=\xe9\n"
    (boot / "config.txt").write_bytes(config)
    (boot / "cmdline.txt").write_bytes(cmdline)

    apply(plan(device_of("pi4"), card), card)
    applied = (boot / "config.txt").read_bytes()
    apply(plan_removal(card), card)

    assert applied.startswith(config)
    assert ((boot / "config.txt").read_bytes(), (boot / "cmdline.txt").read_bytes()) == (config, cmdline)


def test_the_diff_of_bytes_that_are_not_utf_8_can_be_printed(card: Path) -> None:
    (card / "boot/firmware/cmdline.txt").write_bytes(b"root=/dev/sda2 name=\xe9\n")

    diff = plan(device_of("pi4"), card).diff()

    assert "\n-root=/dev/sda2 name=\\xe9\n" in diff
    assert diff.encode()


def test_inline_settings_stand_in_config_txt_itself(card: Path) -> None:
    device = device_of("pi5-coral-m2")

    apply(plan(device, card, placement=Placement.INLINE), card)

    config = (card / "boot/firmware/config.txt").read_text()
    assert config.startswith(STOCK_CONFIG)
    assert "\n[pi5]\n" in config
    assert "\nkernel=kernel8.img\n" in config
    assert "include emotion-edge.txt" not in config.splitlines()
    assert not (card / "boot/firmware/emotion-edge.txt").exists()


def test_what_is_inline_stays_inline_and_follows_the_profile(card: Path) -> None:
    apply(plan(device_of("pi5-coral-m2"), card, placement=Placement.INLINE), card)
    unchanged = plan(device_of("pi5-coral-m2"), card).changes

    apply(plan(device_of("pi5"), card), card)

    config = (card / "boot/firmware/config.txt").read_text()
    assert unchanged == ()
    assert "kernel=kernel8.img" not in config
    assert config.count("camera_auto_detect=1") == 2


def test_inline_takes_the_place_of_an_include_line_and_goes_when_removed(card: Path) -> None:
    apply(plan(device_of("pi5"), card), card)
    apply(plan(device_of("pi5"), card, placement=Placement.INLINE), card)
    config = (card / "boot/firmware/config.txt").read_text()

    apply(plan_removal(card), card)

    assert "include emotion-edge.txt" not in config.splitlines()
    assert (card / "boot/firmware/config.txt").read_text() == STOCK_CONFIG


def test_removing_from_a_computer_without_boot_files_works(tmp_path: Path) -> None:
    apply(plan(device_of("x86-generic"), tmp_path), tmp_path)

    apply(plan_removal(tmp_path), tmp_path)

    assert not [name for name in tree(tmp_path) if not name.startswith("var/")]


def test_the_diff_shows_each_file_before_and_after(card: Path) -> None:
    diff = plan(device_of("pi4"), card).diff()

    assert "--- a/boot/firmware/config.txt\n+++ b/boot/firmware/config.txt\n" in diff
    assert "+include emotion-edge.txt\n" in diff
    assert "--- /dev/null\n+++ b/etc/emotion-edge/conf.d/10-board.toml\n" in diff


def test_planning_writes_nothing(card: Path) -> None:
    before = tree(card)

    plan(device_of("pi4"), card)

    assert tree(card) == before


def test_an_unknown_boot_partition_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(BootPartitionError, match="not a boot partition"):
        plan(device_of("pi4"), tmp_path)

    assert list(tmp_path.iterdir()) == []


def test_a_boot_partition_mounted_elsewhere_is_used(card: Path, tmp_path: Path) -> None:
    shutil.move(card / "boot/firmware", tmp_path / "bootfs")

    apply(plan(device_of("pi4"), card, tmp_path / "bootfs"), card)

    assert (tmp_path / "bootfs/emotion-edge.txt").is_file()
    assert plan(device_of("pi4"), card, tmp_path / "bootfs").changes == ()


def test_an_overlay_that_is_loaded_already_is_a_warning(card: Path) -> None:
    config = card / "boot/firmware/config.txt"
    config.write_text(STOCK_CONFIG + "dtoverlay=imx708\n")

    warnings = plan(device_of("pi4", "imx708"), card).warnings

    assert warnings == (
        f"{config}: dtoverlay=imx708 is there already and the profile loads it too; remove one of them",
    )


def test_a_computer_without_boot_files_needs_no_boot_partition(tmp_path: Path) -> None:
    apply(plan(device_of("x86-generic"), tmp_path), tmp_path)

    assert (tmp_path / "etc/emotion-edge/conf.d/10-board.toml").is_file()
    assert not (tmp_path / "boot").exists()


def test_a_narrow_umask_does_not_hide_the_configuration_from_the_service(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        apply(plan(device_of("x86-generic"), tmp_path), tmp_path)
    finally:
        os.umask(before)

    assert (tmp_path / "etc/emotion-edge/conf.d/10-board.toml").stat().st_mode & 0o777 == 0o644


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is missing: apt install strace")
def test_a_file_system_without_modes_is_written_all_the_same(card: Path, repository: Path) -> None:
    # FAT answers EPERM to chmod; this kernel may have no FAT, so the answer is injected.
    strace = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "inject=chmod,fchmod,fchmodat:error=EPERM"]
    command = [*strace, sys.executable, "-m", "firmware_config", "apply", "pi4", str(card)]

    done = subprocess.run(command, cwd=repository, capture_output=True, timeout=60, check=False, text=True)

    assert done.returncode == 0, done.stderr
    assert plan(device_of("pi4"), card).changes == ()
