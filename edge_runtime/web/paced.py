"""A file or the demo at its own speed, for people's eyes; without a page a file runs as fast as the machine can."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

from edge_runtime.datatypes import Frame
from edge_runtime.interfaces import Clock, Source

if TYPE_CHECKING:
    from typing_extensions import Self


class PacedSource:
    """Yields each frame of another source when its time has come; a slow machine is not hurried to catch up."""

    def __init__(self, source: Source, *, clock: Clock, stop: threading.Event) -> None:
        """Wrap a source that is not live; `stop` ends a wait at once."""
        self.name, self.live = source.name, False
        self._source, self._clock, self._stop = source, clock, stop

    def __enter__(self) -> Self:
        """Open the source."""
        self._source.__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        """Close the source."""
        self._source.__exit__(*exc)

    def frames(self) -> Iterator[Frame]:
        """Yield every frame, none before its time."""
        offset_s: float | None = None
        for frame in self._source.frames():
            now = self._clock.monotonic()
            if offset_s is None or frame.captured_at + offset_s < now:
                offset_s = now - frame.captured_at
            wait_s = frame.captured_at + offset_s - now
            if wait_s > 0:
                self._stop.wait(wait_s)
            yield frame
