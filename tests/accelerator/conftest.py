"""A stand-in for libedgetpu, built from fake_delegate.c, and how a test tells it what to do."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from edge_runtime.accelerator.edgetpu import EdgeTpu, Limits
from edge_runtime.bundle import COMPILED_MARK, EDGETPU_FILE
from edge_runtime.interfaces import Interpreter
from edge_runtime.interpreter import open_interpreter
from edge_runtime.testing import ManualClock
from tests.tiny_tflite import TinyModel

SOURCE = Path(__file__).with_name("fake_delegate.c")
PATIENCE_S = 60.0
"""For whatever must come, on a busy machine."""


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Build the stand-in once."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("no C compiler: apt install gcc")
    built = tmp_path_factory.mktemp("delegate") / "libfake_edgetpu.so"
    command = [compiler, "-shared", "-fPIC", "-Wall", "-o", str(built), str(SOURCE), "-lpthread"]
    subprocess.run(command, check=True, timeout=60)
    return str(built)


@pytest.fixture
def trigger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a file; a library that is loaded does within a millisecond what is written into it."""
    path = tmp_path / "trigger"
    monkeypatch.setenv("FAKE_DELEGATE_FILE", str(path))
    return path


PATIENT = Limits(load_s=PATIENCE_S, patience_s=PATIENCE_S)


class Board:
    """An Edge TPU with tiny nets, the same nets on the processor, and a clock."""

    def __init__(self, library: str, *, strict: bool = False, limits: Limits, device: str = "edgetpu:usb:0") -> None:
        self.clock = ManualClock()
        self.edgetpu = EdgeTpu(device, library, clock=self.clock, strict=strict, limits=limits)
        self.cpu: list[Interpreter] = []
        self.nets: list[Interpreter] = []

    def add(self, model: TinyModel, compiled: bytes | None = None) -> None:
        """Give it a net and, as a compiler would make it, its twin for the Edge TPU."""
        self.cpu.append(open_interpreter(model.to_bytes()))
        twin = model.to_bytes() + COMPILED_MARK if compiled is None else compiled
        self.nets.append(self.edgetpu.net(f"net {len(self.nets)}", {EDGETPU_FILE: twin}, self.cpu[-1]))


Boards: TypeAlias = Callable[..., Board]


@pytest.fixture
def boards(library: str) -> Iterator[Boards]:
    """Return a function that makes a board with this library; every board is closed in the end."""
    made: list[Board] = []

    def board(path: str = library, **settings: Any) -> Board:  # noqa: ANN401  of Board
        made.append(Board(path, **{"limits": PATIENT, **settings}))
        return made[-1]

    yield board
    for each in made:
        each.edgetpu.close()
