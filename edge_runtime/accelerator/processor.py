"""No accelerator: every net stays on the processor."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

from edge_runtime.interfaces import Interpreter


class Processor:
    """What `models.device = "cpu"` means."""

    def __init__(self) -> None:
        """Count nothing: there is nothing to fall back from."""
        self.fallbacks: Counter[str] = Counter()

    @property
    def label(self) -> str:
        """What status and reports say."""
        return "cpu"

    @property
    def trouble(self) -> str:
        """Nothing is ever wrong."""
        return ""

    def net(self, name: str, files: Mapping[str, bytes], cpu: Interpreter) -> Interpreter:  # noqa: ARG002
        """Return the interpreter as it is."""
        return cpu

    def start(self, alive: Callable[[], None] = lambda: None) -> None:
        """Nothing is to be started."""

    def close(self) -> None:
        """Nothing is to be ended."""
