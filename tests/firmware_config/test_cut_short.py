"""A power cut or a full card in the middle of applying: what is left can be applied again and taken back."""

from __future__ import annotations

import dataclasses
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from firmware_config.apply import ORIGINAL, apply
from firmware_config.errors import WriteError
from firmware_config.model import Device
from firmware_config.plan import Plan, plan, plan_removal
from firmware_config.profiles import choose, load_profile
from tests.firmware_config.conftest import STOCK_CMDLINE, STOCK_CONFIG


def device_of(name: str) -> Device:
    return choose(load_profile(name), "auto")


def cut_short(whole: Plan, root: Path) -> Iterator[Path]:
    """Yield a copy of the root for each moment at which the power may go: after none of the changes, one, two, ..."""
    for count in range(len(whole.changes) + 1):
        copy = root.with_name(f"{root.name}-{count}")
        shutil.copytree(root, copy)
        moved = (
            dataclasses.replace(change, path=copy / change.path.relative_to(root)) for change in whole.changes[:count]
        )
        apply(Plan(tuple(moved), ()), copy)
        yield copy


def test_a_power_cut_while_removing_leaves_nothing_that_cannot_be_removed(card: Path) -> None:
    apply(plan(device_of("pi5-coral-m2"), card), card)

    for copy in cut_short(plan_removal(card), card):
        apply(plan_removal(copy), copy)

        assert (copy / "boot/firmware/cmdline.txt").read_text() == STOCK_CMDLINE
        assert (copy / "boot/firmware/config.txt").read_text() == STOCK_CONFIG


@pytest.mark.parametrize(("first", "then"), [("pi5-coral-m2", "pi5"), ("pi5", "pi5-coral-m2")])
def test_a_power_cut_between_two_profiles_forgets_no_kernel_word(card: Path, first: str, then: str) -> None:
    apply(plan(device_of(first), card), card)

    for copy in cut_short(plan(device_of(then), card), card):
        apply(plan(device_of(then), copy), copy)
        coral = "pcie_aspm=off" in (copy / "boot/firmware/cmdline.txt").read_text()
        apply(plan_removal(copy), copy)

        assert coral == (then == "pi5-coral-m2")
        assert (copy / "boot/firmware/cmdline.txt").read_text() == STOCK_CMDLINE


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount 64 kB that are nearly full; skip where mounting is not allowed."""
    folder = tmp_path / "full"
    folder.mkdir()
    mount = shutil.which("mount")
    if (
        mount is None
        or subprocess.run([mount, "-t", "tmpfs", "-o", "size=64k", "t", str(folder)], check=False).returncode
    ):
        pytest.skip("mounting a tmpfs needs root")
    yield folder
    subprocess.run(["/bin/umount", str(folder)], check=True)


def test_a_full_card_is_told_and_leaves_the_boot_files_as_they_were(card: Path, full_disk: Path) -> None:
    root = full_disk / "card"
    shutil.copytree(card, root)
    free = os.statvfs(full_disk)
    (full_disk / "filler").write_bytes(bytes(free.f_bavail * free.f_frsize))

    with pytest.raises(WriteError, match="not full"):
        apply(plan(device_of("pi4"), root), root)

    assert (root / "boot/firmware/config.txt").read_text() == STOCK_CONFIG
    assert (root / "boot/firmware/cmdline.txt").read_text() == STOCK_CMDLINE


def test_a_card_that_was_full_gets_whole_originals_when_it_has_room_again(card: Path, full_disk: Path) -> None:
    root = full_disk / "card"
    shutil.copytree(card, root)
    free = os.statvfs(full_disk)
    filler = full_disk / "filler"
    filler.write_bytes(bytes(free.f_bavail * free.f_frsize))
    with pytest.raises(WriteError):
        apply(plan(device_of("pi4"), root, root / "boot/firmware"), full_disk.parent)
    left_by_failure = list((root / "boot/firmware").glob(f"*{ORIGINAL}"))

    filler.unlink()
    apply(plan(device_of("pi4"), root), root)

    assert left_by_failure == []
    assert (root / f"boot/firmware/config.txt{ORIGINAL}").read_text() == STOCK_CONFIG
