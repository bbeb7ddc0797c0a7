"""Between a source and the pipeline: a thread and a one-slot mailbox for live sources, nothing for files.

with captured(source, timeout_s=3.0, stop=stop) as frames:
    for frame in frames:
        ...
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Final

from edge_runtime.datatypes import Frame
from edge_runtime.errors import CameraHungError, CameraStalledError, SourceError
from edge_runtime.interfaces import Source
from edge_runtime.mailbox import Mailbox

if TYPE_CHECKING:
    from typing_extensions import Self

logger = logging.getLogger(__name__)

OPEN_TIMEOUT_S: Final = 15.0
"""Longest wait for a live source to open: a sensor starts in one or two seconds, RTSP may take several."""
JOIN_TIMEOUT_S: Final = 4.0
"""Longest wait for the capture thread at the end; the whole service has five seconds to stop."""
BROKEN_JOIN_TIMEOUT_S: Final = 0.2
"""Longest wait for the thread of a source that broke: that it broke must be told within three seconds."""
MAX_HUNG_THREADS: Final = 4
"""Threads of one source that may hang in its driver; each holds memory, and only a new process gets rid of them."""
LONGEST_TURN_S: Final = 1.0
"""What one look for a frame counts at most."""
STOP_POLL_S: Final = 0.1
"""How late the reader notices `stop`, which may be set by anybody, at most."""
BEAT_EVERY_S: Final = 1.0
"""How often a wait gives a sign of life: a camera may take longer to open than a watchdog waits."""


def captured(
    source: Source,
    *,
    timeout_s: float,
    stop: threading.Event | None = None,
    open_timeout_s: float = OPEN_TIMEOUT_S,
    join_timeout_s: float = JOIN_TIMEOUT_S,
    alive: Callable[[], None] = lambda: None,
) -> LiveCapture | DirectCapture:
    """Choose how a source is read: a live one in a thread that keeps the newest frame, a file frame by frame.

    Args:
        source: not yet open; the result opens and closes it.
        timeout_s: a live source that gives no frame for so long is broken.
        stop: ends the iteration when it is set.
        open_timeout_s: a live source that takes longer to open is broken.
        join_timeout_s: how long the end of the thread is waited for.
        alive: called about once a second while a live source is waited for, by the reader's thread; for a watchdog.

    Raises:
        CameraHungError: too many threads that once read this source never came back.
    """
    stop = stop or threading.Event()
    if not source.live:
        return DirectCapture(source, stop=stop)
    hung = [thread for thread in threading.enumerate() if thread.name == f"capture {source.name}"]
    if len(hung) >= MAX_HUNG_THREADS:
        raise CameraHungError(f"{source.name}: {len(hung)} reads hang in its driver; restart the program")
    return LiveCapture(
        source,
        timeout_s=timeout_s,
        stop=stop,
        open_timeout_s=open_timeout_s,
        join_timeout_s=join_timeout_s,
        alive=alive,
    )


class DirectCapture:
    """Reads a file in the caller's own thread: no frame is dropped, however slow the caller is."""

    def __init__(self, source: Source, *, stop: threading.Event) -> None:
        """Remember the source; nothing is opened."""
        self.dropped = 0
        """Frames that nobody will see: none."""
        self._source = source
        self._stop = stop

    @property
    def left_out(self) -> Mapping[str, int]:
        """Pictures that could not be decoded."""
        return {"damaged": int(getattr(self._source, "skipped", 0))}

    def __enter__(self) -> Self:
        """Open the source; SourceError when that fails."""
        self._source.__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        """Close the source."""
        self._source.__exit__(*exc)

    def __iter__(self) -> Iterator[Frame]:
        """Yield every frame until the source ends, breaks (SourceError) or `stop` is set."""
        for frame in self._source.frames():
            if self._stop.is_set():
                return
            yield frame


class LiveCapture:
    """Reads a live source in a thread of its own and hands out the newest frame; older ones are dropped and counted.

    The thread alone touches the source, from opening to closing: OpenCV crashes when one thread closes what another
    one reads. A read that hangs cannot be interrupted, so its thread is a daemon that is abandoned and reported.
    """

    def __init__(
        self,
        source: Source,
        *,
        timeout_s: float,
        stop: threading.Event,
        open_timeout_s: float = OPEN_TIMEOUT_S,
        join_timeout_s: float = JOIN_TIMEOUT_S,
        alive: Callable[[], None] = lambda: None,
    ) -> None:
        """Prepare the thread; nothing is opened."""
        self.stopping = threading.Event()
        """Set: the thread ends after the frame it is reading."""
        self._source = source
        self._timeout_s, self._open_timeout_s, self._join_timeout_s = timeout_s, open_timeout_s, join_timeout_s
        self._stop, self._alive = stop, alive
        self._mailbox = Mailbox()
        self._thread = threading.Thread(target=self._read, name=f"capture {source.name}", daemon=True)

    @property
    def dropped(self) -> int:
        """Frames that a newer one replaced before anybody took them."""
        return self._mailbox.dropped

    @property
    def left_out(self) -> Mapping[str, int]:
        """Frames that the source itself left out, by reason."""
        return getattr(self._source, "left_out", {})

    def __enter__(self) -> Self:
        """Open the source; SourceError when that fails or takes too long. Returns early when `stop` is set."""
        self._thread.start()
        try:
            self._wait_until_open()
        except BaseException:
            self._end(min(self._join_timeout_s, BROKEN_JOIN_TIMEOUT_S))
            raise
        return self

    def __exit__(self, kind: object = None, *exc: object) -> None:
        """Close the source; SourceError when its thread hangs, unless another error or a stop is on its way."""
        broken = isinstance(kind, type) and issubclass(kind, SourceError) and not self._stop.is_set()
        timeout_s = min(self._join_timeout_s, BROKEN_JOIN_TIMEOUT_S) if broken else self._join_timeout_s
        if not self._end(timeout_s) and kind is None and not self._stop.is_set():
            raise CameraStalledError(f"{self._source.name}: the capture thread hangs in a read; restart the program")

    def __iter__(self) -> Iterator[Frame]:
        """Yield the newest frame, again and again, until the source ends or `stop` is set.

        Raises:
            SourceError: the source broke; CameraStalledError: it gave no frame for `timeout_s`.
        """
        patience = _Patience(self._timeout_s, self._alive)
        while not (self._stop.is_set() or self.stopping.is_set()):
            frame = self._mailbox.take(STOP_POLL_S)
            if frame is not None:
                yield frame
                patience.begin()
            elif self._mailbox.ended:
                return
            elif patience.is_over():
                raise CameraStalledError(
                    f"{self._source.name}: no frame for {self._timeout_s:g} s; check cable and power supply"
                )

    def _wait_until_open(self) -> None:
        patience = _Patience(self._open_timeout_s, self._alive)
        while not (self._mailbox.wait_until_open(STOP_POLL_S) or self._stop.is_set()):
            if patience.is_over():
                raise CameraStalledError(
                    f"{self._source.name}: did not open within {self._open_timeout_s:g} s; check cable and power supply"
                )

    def _end(self, timeout_s: float) -> bool:
        """Ask the thread to end and wait for it; False when it hangs and was abandoned."""
        self.stopping.set()
        self._thread.join(timeout_s)
        if self._thread.is_alive() and self._mailbox.abandon():
            logger.error(
                "%s: the capture thread did not end within %g s and was abandoned",
                self._source.name,
                timeout_s,
            )
            return False
        return True

    def _read(self) -> None:
        """Run in the thread: open, read, close; hand every error to the reader, who raises it."""
        try:
            self._source.__enter__()
            try:
                self._mailbox.open()
                for frame in self._source.frames():
                    self._mailbox.put(frame)
                    if self.stopping.is_set():
                        break
            finally:
                # Not when abandoned: by now the same source may be open again in another thread.
                if self._mailbox.may_close():
                    self._source.__exit__(None, None, None)
        except Exception as error:  # noqa: BLE001  nothing is swallowed: the reader raises it
            self._mailbox.end(error)
        else:
            self._mailbox.end(None)


class _Patience:
    """Adds up the turns of a wait: by the clock, since on a busy machine a turn takes longer than it asked for."""

    def __init__(self, limit_s: float, alive: Callable[[], None]) -> None:
        self._limit_s, self._alive = limit_s, alive
        self._beat_at = time.monotonic()
        self.begin()

    def begin(self) -> None:
        """Begin anew."""
        self._waited_s = 0.0
        self._turned_at = time.monotonic()

    def is_over(self) -> bool:
        """End one turn, with a sign of life when it is time; whether all together took as long as the limit."""
        now = time.monotonic()
        if now - self._beat_at >= BEAT_EVERY_S:
            self._beat_at = now
            self._alive()
        # A program that was stopped for a minute must not take the minute for the camera's.
        self._waited_s += min(now - self._turned_at, LONGEST_TURN_S)
        self._turned_at = now
        return self._waited_s >= self._limit_s
