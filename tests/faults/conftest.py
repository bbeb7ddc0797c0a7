"""Real faults to inject: a disk that is small and fills up."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest

from tests.broker import broker

__all__ = ["broker", "small_disk"]


class SmallDisk:
    """A file system of its own in memory, small enough to fill at once."""

    def __init__(self, folder: Path, *, size_kb: int) -> None:
        """Mount it at `folder`."""
        self.folder = folder
        self._filler = folder / "filler"
        _run("mount", "-t", "tmpfs", "-o", f"size={size_kb}k", "tmpfs", str(folder))

    def fill(self) -> None:
        """Leave no free byte."""
        with self._filler.open("ab", buffering=0) as filler:
            for block in (65536, 4096, 1):
                _write_until_full(filler.fileno(), block)

    def free(self) -> None:
        """Give the room back."""
        self._filler.unlink()

    def remount(self, mode: Literal["ro", "rw"]) -> None:
        """Make it read-only, as a worn SD card makes itself, or writable again."""
        _run("mount", "-o", f"remount,{mode}", str(self.folder))

    def unmount(self) -> None:
        """End it; files that are still open go when they are closed."""
        _run("umount", "--lazy", str(self.folder))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[SmallDisk]:
    """Mount a disk of 8 MB, as root only."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    folder = tmp_path / "disk"
    folder.mkdir()
    disk = SmallDisk(folder, size_kb=8 * 1024)
    yield disk
    disk.unmount()


def _write_until_full(descriptor: int, block: int) -> None:
    try:
        while True:
            os.write(descriptor, b"\0" * block)
    except OSError:
        return


def _run(*command: str) -> None:
    subprocess.run(command, check=True, timeout=30, capture_output=True)
