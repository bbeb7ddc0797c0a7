"""Events on standard output: a readable line each, or the payload itself."""

from __future__ import annotations

import logging
import os
import sys
from collections import Counter
from typing import TYPE_CHECKING, Final, TextIO

import msgspec

from edge_runtime.interfaces import Message
from edge_runtime.payloads import Event
from edge_runtime.settings import Console

if TYPE_CHECKING:
    from typing_extensions import Self

logger = logging.getLogger(__name__)

UNKNOWN: Final = "?"
"""Printed where an event lacks a field that its line would show."""


class ConsoleSink:
    """Prints for a person (text: events only) or for the next program in a pipe (json: every payload)."""

    def __init__(self, settings: Console, *, stream: TextIO | None = None, origin_s: float = 0.0) -> None:
        """Print on `stream`.

        Args:
            settings: the format.
            stream: standard output when left out.
            origin_s: what the times in text count from, seconds on the events' clock: 0 for a file, the start of
                the program for a camera.
        """
        self.name = "console"
        self.problem: str | None = None
        """What is wrong now, for a person; None when nothing is."""
        self.dropped: Counter[str] = Counter()
        """Messages that were not printed, by reason."""
        self.closed = False
        """Whether the reader of the stream is gone (`emotion-edge run | head`)."""
        self._stream = stream
        self._text = settings.format == "text"
        self._origin_s = origin_s

    def __enter__(self) -> Self:
        """Take standard output as it is now."""
        if self._stream is None:
            self._stream = sys.stdout
        return self

    def __exit__(self, *exc: object) -> None:
        """Leave the stream open: it belongs to the process."""

    def publish(self, message: Message) -> None:
        """Print one message; a closed or full stream is counted, never raised."""
        if self._text and message.topic != "event":
            return
        if self._stream is None or self.closed:
            self.dropped["closed"] += 1
            return
        line = event_line(message.to_json(), origin_s=self._origin_s) if self._text else message.to_json().decode()
        try:
            self._stream.write(line + "\n")
            self._stream.flush()
        except BrokenPipeError:
            self._reader_is_gone(self._stream)
        except (OSError, ValueError) as error:  # ValueError: a stream that was closed in this process
            self.dropped["write"] += 1
            if self.problem is None:
                logger.warning("console: cannot write (%s), events are not printed while it is so", error)
            self.problem = f"console: cannot write ({error})"
        else:
            self.problem = None

    def _reader_is_gone(self, stream: TextIO) -> None:
        self.closed = True
        self.dropped["closed"] += 1
        logger.info("the reader of standard output is gone, events are not printed any more")
        if stream is sys.stdout:
            # The interpreter flushes standard output once more at exit, and would complain about the pipe there.
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)


def event_line(payload: bytes, *, origin_s: float = 0.0) -> str:
    """One line a person understands at a glance: `  12.480 s  face 3  surprise started  (0.91)`.

    Args:
        payload: a JSON event.
        origin_s: subtracted from the event's time, seconds.
    """
    event = msgspec.json.decode(payload, type=Event)
    who = "system" if event.track_id is None else f"face {event.track_id}"
    return f"{event.monotonic_ns / 1e9 - origin_s:8.3f} s  {who}  {_what(event)}"


def _what(event: Event) -> str:
    label = event.emotion or UNKNOWN
    lasted = "" if event.duration_s is None else f" after {event.duration_s:.1f} s"
    sure = "" if event.confidence is None else f"  ({event.confidence:.2f})"
    why = "" if event.end_reason is None else f"  ({event.end_reason})"
    told = {
        "face_appeared": "appeared",
        "emotion_started": f"{label} started{sure}",
        "emotion_changed": f"{event.previous or UNKNOWN} changed to {label}{lasted}{sure}",
        "emotion_ended": f"{label} ended{lasted}{why}",
        "face_lost": f"lost{lasted}",
        "system": event.message or UNKNOWN,
    }
    return told[event.event_type]
