"""What `python -m benchmarks footprint` measures of a start."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks.footprint import start

PROGRAM = """#!{python}
import resource
from pathlib import Path
print("an event", flush=True)
Path("{told}").write_text(str(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss))
"""
"""Tells its largest resident memory, which Linux counts in KiB."""


def test_memory_is_told_in_millions_of_bytes(tmp_path: Path) -> None:
    program, told = tmp_path / "program", tmp_path / "told"
    program.write_text(PROGRAM.format(python=sys.executable, told=told), encoding="utf-8")
    program.chmod(0o755)

    first_event_s, memory_mb = start(program)

    assert first_event_s > 0
    assert memory_mb == pytest.approx(int(told.read_text(encoding="utf-8")) * 1024 / 1e6, rel=0.02)
