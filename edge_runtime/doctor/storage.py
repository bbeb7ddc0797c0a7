"""Where events are written: room on the disk, a root file system that is read-only, and the folders' permissions."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

from edge_runtime.doctor.finding import Finding, failed, off, ok, warning
from edge_runtime.doctor.machine import Machine
from edge_runtime.settings import Config

LEAST_FREE_MB: Final = 200.0
_IN_MEMORY: Final = ("tmpfs", "ramfs", "overlay")


def look(machine: Machine, config: Config, *, least_free_mb: float = LEAST_FREE_MB) -> list[Finding]:
    """Look at the root file system, the outbox and the log file."""
    return [
        _root(machine, least_free_mb),
        _outbox(machine, config, least_free_mb),
        _log_file(machine, config, least_free_mb),
    ]


def _root(machine: Machine, least_free_mb: float) -> Finding:
    kind, options = _mount(machine, Path("/"))
    if "ro" in options:
        return ok("root", f"{kind}, read-only: a power cut cannot damage it; outbox and log need another place")
    free_mb = shutil.disk_usage(machine.root).free / 1e6
    if free_mb < least_free_mb:
        remedy = "sudo apt clean && sudo journalctl --vacuum-size=50M, then: sudo du -xh / | sort -h | tail"
        return warning("root", f"{kind or 'file system'}: {free_mb:.0f} MB free", remedy)
    return ok("root", f"{kind or 'file system'}, can be written: {free_mb / 1000:.1f} GB free")


def _outbox(machine: Machine, config: Config, least_free_mb: float) -> Finding:
    if not config.outbox.path:
        if config.mqtt.host:
            remedy = 'set outbox.path = "/var/lib/emotion-edge/outbox.db"'
            return warning("outbox", "events wait in memory: a power cut loses them", remedy)
        return off("outbox", "no broker is configured, so nothing waits")
    folder = Path(config.outbox.path).absolute().parent
    found = _written("outbox", machine, Path(config.outbox.path), least_free_mb)
    kind, _ = _mount(machine, folder)
    if found.state == "ok" and kind in _IN_MEMORY:
        remedy = "give outbox.path a folder on a disk; with an overlay root, one on a partition of its own"
        return warning("outbox", f"{folder} is {kind}: a restart loses what waits", remedy)
    return found


def _log_file(machine: Machine, config: Config, least_free_mb: float) -> Finding:
    if not config.log.file:
        return off("log file", "none is configured")
    return _written("log file", machine, Path(config.log.file), least_free_mb)


def _written(subject: str, machine: Machine, file: Path, least_free_mb: float) -> Finding:
    """Judge a file that must be written: itself, where a run as another user may have left it, and its folder."""
    there = machine.path(file.absolute())
    left = [path for path in (there, *sorted(there.parent.glob(f"{there.name}-*"))) if path.exists()]
    closed = [path for path in left if not machine.may_open(path)]
    if closed:
        named = "/" / closed[0].relative_to(machine.root)
        found = f"{named}: this user may not write it; another one has made it"
        return failed(subject, found, f"sudo chown {_user(machine)} {file.absolute()}*")
    return _folder(subject, machine, file.absolute().parent, least_free_mb)


def _folder(subject: str, machine: Machine, folder: Path, least_free_mb: float) -> Finding:
    """Judge a folder that must be written; a missing one is made at the start, where its nearest parent allows it."""
    is_missing = not machine.path(folder).is_dir()
    place = next(path for path in map(machine.path, (folder, *folder.parents)) if path.exists())
    if is_missing and not (place.is_dir() and machine.may_open(place)):
        return failed(
            subject, f"{folder}: no such folder", f"sudo install --directory --owner={_user(machine)} {folder}"
        )
    _, options = _mount(machine, folder)
    if "ro" in options:
        return failed(subject, f"{folder} is on a read-only file system", "give it a folder that can be written")
    if not machine.may_open(place):
        remedy = f"sudo chown {_user(machine)} {folder}, or be its owner"
        return failed(subject, f"{folder}: this user may not write there", remedy)
    free_mb = shutil.disk_usage(place).free / 1e6
    if free_mb < least_free_mb:
        return warning(subject, f"{folder}: {free_mb:.0f} MB free", "make room, or lower log.keep and outbox.max_mb")
    return ok(subject, f"{folder}{', made at the start' if is_missing else ''}: {free_mb / 1000:.1f} GB free")


def _user(machine: Machine) -> str:
    """Name who looks: whoever types the remedy may be somebody else."""
    return machine.users.get(machine.uid, "$USER")


def _mount(machine: Machine, folder: Path) -> tuple[str, tuple[str, ...]]:
    """Kind and options of the file system that holds a folder; the last line of the longest mount point counts."""
    best = -1
    answer: tuple[str, tuple[str, ...]] = ("", ())
    for line in (machine.text("proc/mounts") or "").splitlines():
        fields = line.split()
        if len(fields) >= 4 and folder.is_relative_to(fields[1]) and len(fields[1]) >= best:
            best, answer = len(fields[1]), (fields[2], tuple(fields[3].split(",")))
    return answer
