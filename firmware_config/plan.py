"""What applying a device to a root would change; reading only."""

from __future__ import annotations

import difflib
import enum
from dataclasses import dataclass
from pathlib import Path

from firmware_config.boot_partition import (
    conflicts,
    has_block,
    recognise,
    with_block,
    with_include,
    with_words,
    without_ours,
)
from firmware_config.model import Device, Family
from firmware_config.render import CMDLINE_WORDS, CONFIG_FRAGMENT, OWNED, system_files
from firmware_config.render.boot import without_kept_words, words
from firmware_config.render.paths import BOOT


class Placement(enum.Enum):
    """How the boot settings get into config.txt."""

    INCLUDE = "include"
    """A file of their own and one include line."""

    INLINE = "inline"
    """The lines themselves, between two marks."""


@dataclass(frozen=True, slots=True)
class Change:
    """One file before and after."""

    name: str
    """Path relative to the root, with forward slashes; the boot partition is boot/firmware."""

    path: Path
    """Where it is."""

    before: str | None
    """Text now, a byte that is not UTF-8 as a surrogate; None when there is no such file."""

    after: str | None
    """Text then; None when the file goes."""

    def diff(self) -> str:
        """Return a unified diff, empty when nothing changes; bytes that are not UTF-8 are shown in hexadecimal."""
        lines = difflib.unified_diff(
            (self.before or "").splitlines(keepends=True),
            (self.after or "").splitlines(keepends=True),
            "/dev/null" if self.before is None else f"a/{self.name}",
            "/dev/null" if self.after is None else f"b/{self.name}",
        )
        text = "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)
        return text.encode(errors="surrogateescape").decode(errors="backslashreplace")


@dataclass(frozen=True, slots=True)
class Plan:
    """All changes one application would make, and what a person should look at first."""

    changes: tuple[Change, ...]
    warnings: tuple[str, ...]

    def diff(self) -> str:
        """Return the unified diff of all changes."""
        return "".join(change.diff() for change in self.changes)


def plan(device: Device, root: Path, boot: Path | None = None, placement: Placement = Placement.INCLUDE) -> Plan:
    """Compare a device's files with a root.

    Args:
        device: what the root should become.
        root: root of the system: `/`, or the mounted card.
        boot: the boot partition when it is not mounted at ROOT/boot/firmware.
        placement: of the boot settings; what is inline already stays inline.

    Raises:
        BootPartitionError: the device is a Raspberry Pi and the boot partition is not one this program knows.
    """
    folder = boot or root / BOOT
    rendered = system_files(device)
    boot_changes: list[Change] = []
    warnings: tuple[str, ...] = ()
    if device.profile.board.family is Family.RASPBERRY_PI:
        recognise(folder)
        boot_changes = _boot_changes(folder, rendered, placement)
        warnings = _warnings(folder, rendered)
        rendered[CMDLINE_WORDS] = _record(folder, rendered[CMDLINE_WORDS])
        if has_block(boot_changes[0].after or ""):
            del rendered[CONFIG_FRAGMENT]
    owned = [_change(name, _locate(name, root, folder), rendered.get(name)) for name in OWNED]
    return Plan(_in_order(owned, boot_changes), warnings)


def plan_removal(root: Path, boot: Path | None = None) -> Plan:
    """Return the changes that take back whatever any profile added to a root; arguments as for `plan`.

    A root without a boot partition loses the other files all the same.
    """
    folder = boot or root / BOOT
    owned = [_change(name, _locate(name, root, folder), None) for name in OWNED]
    boot_changes = []
    stale = words(_read(folder / Path(CMDLINE_WORDS).name) or "")
    for name in ("config.txt", "cmdline.txt"):
        before = _read(folder / name)
        if before is not None:
            after = without_ours(before) if name == "config.txt" else with_words(before, (), stale)
            boot_changes.append(Change(f"{BOOT}/{name}", folder / name, before, after))
    return Plan(_in_order(owned, boot_changes), ())


def _in_order(owned: list[Change], boot: list[Change]) -> tuple[Change, ...]:
    """Return the changes that change something, so that after a power cut between any two the rest can be made up.

    A kernel word of ours always stands in the record: the record gains words before cmdline.txt does, and loses them
    after it. What config.txt includes is there before and after the line that includes it.
    """
    record = next(change for change in owned if change.name == CMDLINE_WORDS)
    others = [change for change in owned if change is not record]
    lost = set(words(record.before or "")) - set(words(record.after or ""))
    ordered = [*boot, *others, record] if lost or record.after is None else [record, *others, *boot]
    return tuple(change for change in ordered if change.before != change.after)


def _boot_changes(folder: Path, rendered: dict[str, str], placement: Placement) -> list[Change]:
    config, cmdline = folder / "config.txt", folder / "cmdline.txt"
    before_words = _read(folder / Path(CMDLINE_WORDS).name) or ""
    config_text, cmdline_text = _read(config) or "", _read(cmdline) or ""
    inline = placement is Placement.INLINE or has_block(config_text)
    edited = with_block(config_text, rendered[CONFIG_FRAGMENT]) if inline else with_include(config_text)
    return [
        Change(f"{BOOT}/config.txt", config, config_text, edited),
        Change(
            f"{BOOT}/cmdline.txt",
            cmdline,
            cmdline_text,
            with_words(cmdline_text, words(rendered[CMDLINE_WORDS]), words(before_words)),
        ),
    ]


def _record(folder: Path, rendered: str) -> str:
    """Return the file of kernel words with only those that are ours, so that `plan_removal` takes no others."""
    ours = words(_read(folder / Path(CMDLINE_WORDS).name) or "")
    there = (_read(folder / "cmdline.txt") or "").split()
    return without_kept_words(rendered, [word for word in there if word not in ours])


def _warnings(folder: Path, rendered: dict[str, str]) -> tuple[str, ...]:
    config = folder / "config.txt"
    twice = conflicts(without_ours(_read(config) or ""), rendered[CONFIG_FRAGMENT])
    return tuple(
        f"{config}: dtoverlay={name} is there already and the profile loads it too; remove one of them"
        for name in twice
    )


def _change(name: str, path: Path, after: str | None) -> Change:
    return Change(name, path, _read(path), after)


def _locate(name: str, root: Path, boot: Path) -> Path:
    prefix = f"{BOOT}/"
    return boot / name.removeprefix(prefix) if name.startswith(prefix) else root / name


def _read(path: Path) -> str | None:
    # newline="" keeps CRLF: config.txt is often edited on Windows, and not always as UTF-8.
    if not path.is_file():
        return None
    with path.open(encoding="utf-8", errors="surrogateescape", newline="") as stream:
        return stream.read()
