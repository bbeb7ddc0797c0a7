"""What long work says on standard error: a bar on a terminal, plain lines in a log."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol, TypeVar

logger = logging.getLogger("converter")

_SECONDS_BETWEEN_LINES = 10.0

Item = TypeVar("Item")


def start_logging() -> None:
    """Send notes to standard error, bare; calling it again changes nothing."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(message)s"))
    logger.handlers[:] = [handler]
    logger.setLevel(logging.INFO)
    logger.propagate = False


def note(text: str, *args: object) -> None:
    """Say what happens."""
    logger.info(text, *args)


class Meter(Protocol):
    """Shows how far one piece of work is."""

    def advance(self, remark: str = "") -> None:
        """Count one more item as done."""
        ...


class LogMeter:
    """Writes a line now and then."""

    def __init__(self, title: str, total: int) -> None:
        self._title, self._total, self._done = title, total, 0
        self._spoke_at = time.monotonic()

    def advance(self, remark: str = "") -> None:
        """Count one more item as done."""
        self._done += 1
        now = time.monotonic()
        if now - self._spoke_at >= _SECONDS_BETWEEN_LINES:
            self._spoke_at = now
            note("%s: %d of %d%s", self._title, self._done, self._total, f", {remark}" if remark else "")


@contextmanager
def meter(title: str, total: int) -> Iterator[Meter]:
    """Show progress for as long as the block runs."""
    if sys.stderr.isatty():
        with _bar(title, total) as shown:
            yield shown
    else:
        yield LogMeter(title, total)


def track(items: Sequence[Item], title: str) -> Iterator[Item]:
    """Yield the items and show how far it is."""
    with meter(title, len(items)) as shown:
        for item in items:
            yield item
            shown.advance()


@contextmanager
def _bar(title: str, total: int) -> Iterator[Meter]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[remark]}"),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(title, total=total, remark="")

        class Bar:
            """Moves the bar."""

            def advance(self, remark: str = "") -> None:
                """Count one more item as done."""
                progress.update(task, advance=1, remark=remark)

        yield Bar()
