"""Reads the machine: files below a root folder, who this user is, and what a program of the system answers.

Tests give a folder with the files of a board in the place of `/`, programs included.
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

RASPBERRY_PI: Final = "Raspberry Pi"
SERVICE_USER: Final = "emotion-edge"
_PROGRAM_FOLDERS: Final = ("usr/bin", "bin", "usr/sbin", "sbin")
_ANSWER_WITHIN_S: Final = 10.0


@dataclass(frozen=True)
class Machine:
    """A machine whose files are below `root`, as one user sees it."""

    root: Path = Path("/")
    uid: int = field(default_factory=os.geteuid)
    gids: frozenset[int] = field(default_factory=lambda: frozenset({os.getegid(), *os.getgroups()}))

    def path(self, name: str | Path) -> Path:
        """Place a path, absolute or not, below the root."""
        return self.root / str(name).lstrip("/")

    def text(self, name: str) -> str | None:
        """Contents without the kernel's trailing NULs and newlines; None when it cannot be read."""
        try:
            return self.path(name).read_text(encoding="utf-8", errors="replace").rstrip("\0\n")
        except OSError:
            return None

    def number(self, name: str) -> int | None:
        """Contents as a number; None when there is none."""
        try:
            return int(self.text(name) or "", 0)
        except ValueError:
            return None

    def names(self, pattern: str) -> list[Path]:
        """Paths that match, in the order of their names."""
        return sorted(self.root.glob(pattern))

    def answer(self, program: str, *arguments: str) -> str | None:
        """Standard output of a program of this machine; None when it is not there, fails or hangs."""
        folders = os.pathsep.join(str(self.root / folder) for folder in _PROGRAM_FOLDERS)
        found = shutil.which(program, path=folders)
        if found is None:
            return None
        try:
            done = subprocess.run(  # noqa: S603  fixed arguments, a program of the system
                [found, *arguments], capture_output=True, text=True, timeout=_ANSWER_WITHIN_S, check=False
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        return done.stdout.strip() if done.returncode == 0 else None

    @property
    def model(self) -> str:
        """Board's name in the device tree; empty on a PC."""
        return self.text("proc/device-tree/model") or ""

    @property
    def is_raspberry_pi(self) -> bool:
        """Whether this is one of the boards with the Raspberry Pi firmware."""
        return self.model.startswith(RASPBERRY_PI)

    @property
    def memory_mb(self) -> dict[str, float]:
        """Lines of /proc/meminfo in MB (10^6 bytes), by name; the kernel counts in KiB."""
        lines = (line.partition(":") for line in (self.text("proc/meminfo") or "").splitlines())
        return {name: int(rest.split()[0]) * 1024 / 1e6 for name, _, rest in lines if rest.strip()}

    def may_open(self, path: Path) -> bool:
        """Whether this user may read and write a file, by owner, group and mode; root may always."""
        try:
            found = path.stat()
        except OSError:
            return False
        if self.uid == 0:
            return True
        shift = 6 if found.st_uid == self.uid else 3 if found.st_gid in self.gids else 0
        return (stat.S_IMODE(found.st_mode) >> shift) & 0o6 == 0o6

    def group_name(self, gid: int) -> str:
        """Name of a group, or its number."""
        return {entry.gid: name for name, entry in self._groups.items()}.get(gid, str(gid))

    def members(self, group: str) -> frozenset[str] | None:
        """Users whom /etc/group lists; None when there is no such group."""
        return self._groups[group].members if group in self._groups else None

    @property
    def users(self) -> dict[int, str]:
        """Names of /etc/passwd by number."""
        fields = (line.split(":") for line in (self.text("etc/passwd") or "").splitlines())
        return {int(entry[2]): entry[0] for entry in fields if len(entry) > 2 and entry[2].isdigit()}

    @property
    def _groups(self) -> dict[str, _Group]:
        fields = (line.split(":") for line in (self.text("etc/group") or "").splitlines())
        return {
            entry[0]: _Group(int(entry[2]), frozenset(filter(None, entry[3].split(","))))
            for entry in fields
            if len(entry) == 4 and entry[2].isdigit()
        }


@dataclass(frozen=True)
class _Group:
    gid: int
    members: frozenset[str]
