"""Carrying a plan out: back up, then replace each file in one step."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from firmware_config.errors import WriteError
from firmware_config.plan import Change, Plan

BACKUPS = "var/backups/emotion-edge"
"""Folder of the backups, relative to the root."""

ORIGINAL = ".before-emotion-edge"
"""Suffix of the first backup beside a boot file, so that a card reader and a PC are enough to go back."""


def apply(plan: Plan, root: Path) -> Path | None:
    """Write every change of a plan.

    Args:
        plan: what to change.
        root: root of the system; backups go below it.

    Returns:
        The backup folder, or None when no existing file was replaced.

    Raises:
        WriteError: a file could not be backed up or written; files before it are written, and the backup is complete.
    """
    folder = _next_backup(root)
    replaced = [change for change in plan.changes if change.before is not None]
    for change in replaced:
        _back_up(change, folder)
    for change in plan.changes:
        _carry_out(change)
    return folder if replaced else None


def _next_backup(root: Path) -> Path:
    """Return the folder after the last one; numbers, since a board without a battery does not know the date."""
    numbers = [int(path.name) for path in (root / BACKUPS).glob("[0-9]*") if path.name.isdigit()]
    return root / BACKUPS / f"{max(numbers, default=0) + 1:04}"


def _back_up(change: Change, folder: Path) -> None:
    original = change.path.with_name(change.path.name + ORIGINAL)
    text = change.before or ""
    try:
        write_text(folder / change.name, text)
        # In one step too: half of it, from a full card or a power cut, would be taken for the original for ever.
        if change.path.name in ("config.txt", "cmdline.txt") and not original.exists():
            write_text(original, text)
    except OSError as error:
        raise _failed(change.path, "back up", error) from error


def _carry_out(change: Change) -> None:
    try:
        if change.after is None:
            change.path.unlink()
        else:
            write_text(change.path, change.after)
    except OSError as error:
        raise _failed(change.path, "write", error) from error


def write_text(path: Path, text: str, mode: int = 0o644) -> None:
    """Replace a file in one step, so that a power cut leaves the old text or the new one.

    Args:
        path: the file; folders above it are made.
        text: its text; surrogates become the bytes that they were read from.
        mode: its permissions.

    Raises:
        OSError: as the file system says.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.new")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="surrogateescape", newline="") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    # A narrow umask must not hide the file from the service. FAT has no modes of its own and refuses.
    with contextlib.suppress(PermissionError):
        temporary.chmod(mode)
    temporary.replace(path)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Make the new name last: without this a power cut may bring the old one back, or none."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _failed(path: Path, action: str, error: OSError) -> WriteError:
    return WriteError(
        f"{path}: cannot {action}: {error.strerror}; run as root with the partition mounted writable "
        f"(mount -o remount,rw), and see that it is not full"
    )
