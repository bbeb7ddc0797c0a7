"""Events and observations as JSON lines in a file that is rotated, repaired after a crash, and never in the way."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
from collections import Counter, deque
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from edge_runtime.errors import SinkError
from edge_runtime.interfaces import Clock, Message
from edge_runtime.settings import Log

if TYPE_CHECKING:
    from typing_extensions import Self

logger = logging.getLogger(__name__)

RING_LINES: Final = 256
"""Lines kept in memory while the file cannot be written; the oldest are dropped and counted."""

RETRY_S: Final = 1.0
"""Pause before a file that could not be written is tried again."""

PASSING_ERRORS: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO})
"""Errors at open that may pass by themselves; any other one is a mistake in the configuration."""

_MOST_OF_A_LINE: Final = 1 << 16


class _Dated(msgspec.Struct):
    """What every line has."""

    time: datetime


_DATED: Final = msgspec.json.Decoder(_Dated)


class JsonlSink:
    """Appends one JSON line a message; a full or broken disk costs lines, never the frame loop."""

    def __init__(self, settings: Log, *, clock: Clock) -> None:
        """Write to settings.file; lengths and ages are counted on `clock`'s monotonic side."""
        self.name = "jsonl"
        self.problem: str | None = None
        """What is wrong now, for a person; None when nothing is."""
        self.dropped: Counter[str] = Counter()
        """Messages that were lost, by reason."""
        self._path = Path(settings.file)
        self._max_bytes = settings.max_mb * 1e6
        self._max_age_s = settings.max_age_h * 3600.0
        self._keep = settings.keep
        self._clock = clock
        self._waiting: deque[bytes] = deque()
        self._file = -1
        self._size = 0
        self._begun_at = 0.0
        self._first_written: float | None = None
        self._retry_at = 0.0

    def __enter__(self) -> Self:
        """Open the file and its folder; SinkError when this can never work."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._open()
        except OSError as error:
            if error.errno not in PASSING_ERRORS:
                raise SinkError(
                    f"{self._path}: cannot write the event log ({error.strerror}); give log.file (--log-file) a path "
                    f"that this user may write, or leave it empty"
                ) from error
            self._trouble(error)
        return self

    def __exit__(self, *exc: object) -> None:
        """Write what waits if the file can be written, and close it."""
        self._retry_at = self._clock.monotonic()
        if self._waiting:
            self._write_waiting()
        if self._waiting:
            logger.error("%s: closed with %d lines unwritten: %s", self._path, len(self._waiting), self.problem)
            self.dropped["close"] += len(self._waiting)
            self._waiting.clear()
        self._close()

    def publish(self, message: Message) -> None:
        """Append one line, or keep it until the file can be written again."""
        self._waiting.append(message.to_json() + b"\n")
        self._write_waiting()
        if len(self._waiting) > RING_LINES:
            self._waiting.popleft()
            self.dropped["disk"] += 1

    def _write_waiting(self) -> None:
        if self.problem is not None and self._clock.monotonic() < self._retry_at:
            return
        try:
            self._follow_the_path()
            while self._waiting:
                self._append(self._waiting[0])
                self._waiting.popleft()
        except OSError as error:
            self._trouble(error)
        else:
            self._recovered()

    def _append(self, line: bytes) -> None:
        if self._size and (self._size + len(line) > self._max_bytes or self._too_old()):
            self._rotate()
        if not self._size:
            self._begun_at = self._clock.monotonic()
        written = os.write(self._file, line)
        if written < len(line):
            # A full disk takes what fits. Half a line must not stay.
            os.ftruncate(self._file, self._size)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._size += written

    def _too_old(self) -> bool:
        if self._clock.monotonic() - self._begun_at >= self._max_age_s:
            return True
        # How old the lines of an earlier start are only the wall clock knows, once it is known to be right.
        if self._first_written is None or not self._clock.synchronized():
            return False
        return self._clock.utc() - self._first_written >= self._max_age_s

    def _rotate(self) -> None:
        self._close()
        # Up to the first free number: a `keep` of a million must not cost a million looks at the disk.
        free = (number for number in range(1, self._keep + 1) if not self._numbered(number).exists())
        for number in range(next(free, self._keep), 0, -1):
            older = self._numbered(number)
            newer = self._numbered(number - 1) if number > 1 else self._path
            if newer.exists():
                newer.replace(older)
        if self._keep == 0:
            self._path.unlink(missing_ok=True)
        self._open()

    def _numbered(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")

    def _follow_the_path(self) -> None:
        """Open the file again when it was moved or deleted by someone else, or after an error."""
        if self._file >= 0:
            try:
                ours = os.fstat(self._file)
                there = self._path.stat()
            except FileNotFoundError:
                pass
            else:
                if (ours.st_dev, ours.st_ino) == (there.st_dev, there.st_ino):
                    return
        self._close()
        self._open()

    def _open(self) -> None:
        # Readable by the group, as Debian's logs are: emotions are personal data, not public.
        self._file = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
        self._size = os.fstat(self._file).st_size
        self._begun_at = self._clock.monotonic()
        self._first_written = self._time_of_first_line()
        if self._size and os.pread(self._file, 1, self._size - 1) != b"\n":
            # A crash left half a line. It stays, readers skip it; the next line must not be glued to it.
            self._size += os.write(self._file, b"\n")

    def _time_of_first_line(self) -> float | None:
        """UTC of the line that the file begins with; None where there is none or it does not tell."""
        line = os.pread(self._file, _MOST_OF_A_LINE, 0).partition(b"\n")[0]
        try:
            return _DATED.decode(line).time.timestamp()
        except (msgspec.DecodeError, OverflowError, ValueError):
            return None

    def _close(self) -> None:
        if self._file >= 0:
            file, self._file = self._file, -1
            with contextlib.suppress(OSError):  # a broken disk may say so once more
                os.close(file)

    def _trouble(self, error: OSError) -> None:
        self._retry_at = self._clock.monotonic() + RETRY_S
        if self.problem is None:
            logger.warning("%s: %s, keeping up to %d lines in memory", self._path, error.strerror, RING_LINES)
        self.problem = f"log: {error.strerror}"
        self._close()

    def _recovered(self) -> None:
        if self.problem is not None:
            logger.warning("%s: can be written again, %d lines were lost", self._path, self.dropped["disk"])
            self.problem = None


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the records of one log file; half a line, as a power cut leaves it, is skipped."""
    decoder = msgspec.json.Decoder(dict[str, Any])
    with path.open("rb") as lines:
        for line in lines:
            try:
                yield decoder.decode(line)
            except msgspec.DecodeError:  # noqa: PERF203  one torn line must not end the file
                logger.warning("%s: skipped a torn line of %d bytes", path, len(line))
