"""The source gives frames for some seconds, at the rate that was asked for, and they show the world."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np

from edge_runtime.capture import captured
from edge_runtime.datatypes import Frame
from edge_runtime.errors import SourceError
from edge_runtime.interfaces import Source
from edge_runtime.picture_watch import PictureWatch
from edge_runtime.selftest.verdict import Case
from edge_runtime.settings import Config
from edge_runtime.settings import Source as SourceSettings
from edge_runtime.wiring import open_source

LEAST_SHARE_OF_RATE: Final = 0.4
"""Of the frames a second that were asked for. Cameras halve their rate in dim light: that is no fault."""

SHARE_OF_TIME: Final = 0.5
"""A picture that is of one shade, or stands still, for more than this share of the time is a fault."""

_LEAST_TIME_S: Final = 0.2
"""A picture that stands still for less proves nothing."""


def cases(config: Config, capture_s: float) -> Iterator[Case]:
    """Read the configured source."""
    yield Case("source", lambda: read(config.source, open_source(config.source), capture_s))


def read(settings: SourceSettings, source: Source, capture_s: float) -> str:
    """Read a source for some seconds and tell what it gave; SourceError when that is not what it should be.

    Args:
        settings: rate asked of cameras, timeout.
        source: not yet open.
        capture_s: of the source's own time for a live one, of this machine's for a file.
    """
    seen = _watched(settings, source, capture_s)
    if seen.last is None:
        raise SourceError(f"{source.name}: opens, but gives no frame; try another --source")
    size, level = f"{seen.last.width} x {seen.last.height}", float(np.mean(seen.last.pixels))
    told = f"{source.name}: {seen.frames} frames of {size}, mean grey level {level:.0f}"
    if not source.live:
        return f"{told}, {seen.frames / max(seen.seconds, 1e-3):.0f} per second"
    if seen.trouble is not None:
        raise SourceError(f"{told}: the picture is {seen.trouble}; look at lens cap, light and cable")
    told = f"{told}, {seen.per_second:.1f} per second of {settings.fps:g} asked for"
    if seen.per_second < LEAST_SHARE_OF_RATE * settings.fps:
        raise SourceError(f"{told}; more light, another port, a smaller picture, or ask for less with source.fps")
    return told


@dataclass
class _Seen:
    """What was counted while the source was read."""

    frames: int = 0
    seconds: float = 0.0
    first: Frame | None = None
    last: Frame | None = None
    trouble: str | None = None

    @property
    def per_second(self) -> float:
        """Frames that the source delivered after the first, also those nobody took, by its own time."""
        if self.first is None or self.last is None or self.last.captured_at <= self.first.captured_at:
            return 0.0
        return (self.last.index - self.first.index) / (self.last.captured_at - self.first.captured_at)


def _watched(settings: SourceSettings, source: Source, capture_s: float) -> _Seen:
    """Read for some seconds, with limits of standing still that fit so short a time."""
    limit_s = max(SHARE_OF_TIME * capture_s, _LEAST_TIME_S)
    watch = PictureWatch(msgspec.structs.replace(settings, frozen_s=limit_s, flat_s=limit_s))
    seen, started = _Seen(), time.monotonic()
    with captured(source, timeout_s=settings.timeout_s) as frames:
        for frame in frames:
            seen.first, seen.last = seen.first or frame, frame
            seen.frames += 1
            seen.trouble = watch.look(frame)
            seen.seconds = frame.captured_at - seen.first.captured_at if source.live else time.monotonic() - started
            if seen.seconds >= capture_s:
                break
    return seen
