"""What a fuzz target is: bytes go in; an answer, or an error of ours that says where, comes out."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

LONGEST_CPU_S: Final = 10.0
"""No input may take more of this process's time; the usual one takes milliseconds."""

LONGEST_S: Final = 120.0
"""Nor more time by the clock on the wall: nothing may wait for ever. The machine may be busy."""

CORPUS: Final = Path(__file__).resolve().parent / "corpus"
"""A folder of inputs for every target."""


class FuzzFailureError(Exception):
    """An input did what no input may do."""


@dataclass(frozen=True)
class Target:
    """One place where bytes from outside come in."""

    name: str
    run: Callable[[bytes, Path], None]
    """Feed one input; the folder is empty and may be written to."""
    error: type[Exception]
    """The package's own error: the only one that may come out."""
    where: str
    """What its message must hold: the name of the file, variable or address at fault."""
    words: tuple[bytes, ...] = ()
    """Pieces that the format is made of, for the engine to put in."""
    examples: int = 40
    """Inputs that `make test` draws; fewer where one takes long."""

    def check(self, data: bytes) -> None:
        """Feed one input and judge what comes out.

        Raises:
            FuzzFailureError: another exception, a message that does not say where, or too much time.
        """
        begun, cpu_before = time.monotonic(), time.process_time()
        try:
            with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
                self.run(data, Path(folder))
        except self.error as error:
            self._judge(str(error))
        except Exception as error:
            raise FuzzFailureError(f"{self.name}: {type(error).__name__} came out: {error}") from error
        took_s, cpu_s = time.monotonic() - begun, time.process_time() - cpu_before
        if took_s > LONGEST_S or cpu_s > LONGEST_CPU_S:
            raise FuzzFailureError(f"{self.name}: one input took {took_s:.1f} s, {cpu_s:.1f} s of them computing")

    def corpus(self) -> list[Path]:
        """List the committed inputs."""
        return sorted((CORPUS / self.name).iterdir())

    def _judge(self, message: str) -> None:
        if self.where not in message:
            raise FuzzFailureError(f"{self.name}: the message does not name {self.where!r}: {message}")
