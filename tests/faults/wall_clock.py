"""A wall clock that a test steps in a child process, through libfaketime; the monotonic clock runs on as it is."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from glob import glob
from pathlib import Path

import pytest

from tests.source_tree import ROOT

PATIENCE_S = 90.0
LIBRARY = next(iter(sorted(glob("/usr/lib/*/faketime/libfaketimeMT.so.1"))), None)  # noqa: PTH207

needs_faketime = pytest.mark.skipif(LIBRARY is None, reason="libfaketime is missing: apt install faketime")


class WallClock:
    """The wall clock of child processes that are started with it."""

    def __init__(self, folder: Path, at: str) -> None:
        """Begin at a time, for instance `1970-01-01 00:02:00`."""
        self.file = folder / "wall-clock"
        self.step(at)

    def step(self, to: str) -> None:
        """Set it; every process sees it with its next look at the clock."""
        newer = self.file.with_suffix(".new")
        newer.write_text(f"@{to}\n", encoding="ascii")
        newer.replace(self.file)

    @contextmanager
    def started(self, *arguments: str) -> Iterator[subprocess.Popen[str]]:
        """Run Python with these arguments in a process whose clock this is; it is killed when it takes too long.

        Not time.sleep in there: libfaketime takes its absolute monotonic time for a wall time, and it sleeps for years.
        """
        environment = {
            **os.environ,
            "LD_PRELOAD": str(LIBRARY),
            "FAKETIME_TIMESTAMP_FILE": str(self.file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",
            "TZ": "UTC",
        }
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        patience = threading.Timer(PATIENCE_S, process.kill)
        patience.start()
        try:
            with process:
                yield process
        finally:
            patience.cancel()
            process.kill()
