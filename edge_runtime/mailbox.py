"""One slot between the thread that reads a camera and the reader who wants the newest frame."""

from __future__ import annotations

import threading

from edge_runtime.datatypes import Frame


class Mailbox:
    """One slot between two threads. A frame that is put drops the OLD one, so what is taken is always the newest."""

    def __init__(self) -> None:
        """Start empty, of a source that is not open."""
        self.dropped = 0
        self.ended = False
        """No frame will come any more."""
        self._changed = threading.Condition()
        self._frame: Frame | None = None
        self._error: Exception | None = None
        self._open = self._abandoned = False

    def open(self) -> None:
        """Writer: the source is open."""
        with self._changed:
            self._open = True
            self._changed.notify_all()

    def put(self, frame: Frame) -> None:
        """Writer: replace the waiting frame."""
        with self._changed:
            self.dropped += self._frame is not None
            self._frame = frame
            self._changed.notify_all()

    def end(self, error: Exception | None) -> None:
        """Writer: there are no more frames, and why."""
        with self._changed:
            self.ended, self._error = True, error
            self._changed.notify_all()

    def may_close(self) -> bool:
        """Writer: whether the source is still this thread's to close."""
        with self._changed:
            return not self._abandoned

    def wait_until_open(self, timeout_s: float) -> bool:
        """Reader: wait for the source; False when the time is over. Raises what broke it."""
        with self._changed:
            self._changed.wait_for(lambda: self._open or self.ended, timeout_s)
            if not self._open:
                self._raise_error()
            return self._open

    def take(self, timeout_s: float) -> Frame | None:
        """Reader: wait for a frame; None when the time is over or none will come. Raises what broke the source."""
        with self._changed:
            self._changed.wait_for(lambda: self._frame is not None or self.ended, timeout_s)
            frame, self._frame = self._frame, None
            if frame is None:
                self._raise_error()
            return frame

    def abandon(self) -> bool:
        """Reader: forbid the writer to close the source; False when it has ended by now."""
        with self._changed:
            self._abandoned = not self.ended
            return self._abandoned

    def _raise_error(self) -> None:
        if self._error is not None:
            error, self._error = self._error, None
            raise error
