"""Runs the program on recognisable frames and looks for their pixels in everything it left."""

from __future__ import annotations

import resource
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.canary.pattern import crops, tiles, write_pictures
from tests.canary.programs import VERBS, Surrounded, Traces, allow_core_dumps
from tests.canary.search import MAGIC, Searcher

CRASHES: Final = (signal.SIGABRT, signal.SIGSEGV)


@dataclass
class Finding:
    """What was searched, and what was found."""

    windows: int
    """Rows of 16 pixels that were searched for."""
    files: int = 0
    file_bytes: int = 0
    wires: dict[str, int] = field(default_factory=dict)
    """Bytes on each wire."""
    found: list[str] = field(default_factory=list)
    """Place and form of everything that should not be there."""
    core_files: list[str] = field(default_factory=list)
    core_dumps_possible: bool = False
    """Whether another program that crashes the same way does leave a core file here."""
    live_picture_found: bool = False
    """Whether the page's live picture, which may show pixels when asked, did: the chain had them in its hands."""
    exit_codes: dict[str, int] = field(default_factory=dict)

    @property
    def bytes_searched(self) -> int:
        """Of files and wires."""
        return self.file_bytes + sum(self.wires.values())


def hunt(folder: Path, broker_port: int, *, verbs: Sequence[str] = tuple(VERBS), count: int = 150) -> Finding:
    """Run everything below an empty folder, then search it all.

    Args:
        folder: empty.
        broker_port: of a broker on loopback.
        verbs: what to run beside `run`.
        count: frames, at ten a second.
    """
    pictures = write_pictures(folder / "pictures", count)
    around = Surrounded(folder / "all", pictures)
    try:
        around.run_service(broker_port)
        for verb in verbs:
            around.run_verb(verb)
        for number in CRASHES:
            around.crash_service(number)
    finally:
        around.close()
    searcher = Searcher([*tiles(), *crops(min(count, 12))])
    finding = searched(around.traces, searcher)
    finding.core_dumps_possible = core_dumps_are_possible(folder)
    return finding


def searched(traces: Traces, searcher: Searcher) -> Finding:
    """Search every file and every wire."""
    finding = Finding(len(searcher), exit_codes=traces.exit_codes)
    for path in traces.files():
        data = path.read_bytes()
        finding.files += 1
        finding.file_bytes += len(data)
        name = str(path.relative_to(traces.folder))
        finding.found += [f"{name}: {form}" for form in searcher.find(data)]
        if path.name.startswith("core") or data.startswith(b"\x7fELF"):
            finding.core_files.append(name)
    for name, data in traces.wires.items():
        finding.wires[name] = len(data)
        finding.found += [f"{name}: {form}" for form in searcher.find(data)]
    finding.live_picture_found = MAGIC["JPEG"].search(traces.pictures_shown) is not None
    return finding


def core_dumps_are_possible(folder: Path) -> bool:
    """Crash a program that does not forbid them; whether it left a core file beside itself."""
    place = folder / "control"
    place.mkdir()
    command = [sys.executable, "-c", "import os; os.abort()"]
    subprocess.run(command, cwd=place, preexec_fn=allow_core_dumps, capture_output=True, timeout=60, check=False)
    left = list(place.iterdir())
    for path in left:
        path.unlink()
    return bool(left) and resource.getrlimit(resource.RLIMIT_CORE)[1] != 0
