"""The outbox itself: an event queue on disk. A thread of its own does all reading and writing of the file.

The frame loop only appends to a list in memory, the MQTT publisher only takes from one. "Accepted" means committed:
such an event survives a power cut. Acknowledgements are noted by the next group commit; a power cut before it sends
an event twice.
"""

from __future__ import annotations

import errno
import logging
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from edge_runtime.errors import SinkError
from edge_runtime.interfaces import Clock, Message
from edge_runtime.outbox.buffers import Buffers
from edge_runtime.outbox.store import FAULTS, Store, StoredEvent, is_damage, move_aside, touch
from edge_runtime.settings import Outbox as OutboxSettings

if TYPE_CHECKING:
    from typing_extensions import Self

logger = logging.getLogger(__name__)

PASSING_ERRORS: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO})
"""Errors at open that may pass by themselves; any other one is a mistake in the configuration."""

RETRY_S: Final = 1.0
"""Pause before a file that could not be written is tried again."""

LOOK_AGAIN_S: Final = 2.0
"""How often an idle outbox looks whether someone asked for a replay, or purged it."""

PASS_ON_EVENTS: Final = 20
"""Events that may be on their way to the broker without being stored, while the disk is bad."""

CLOSE_TIMEOUT_S: Final = 2.0


class Outbox:
    """Keeps events until they are acknowledged: an EventQueue for the MQTT sink, which opens and closes it."""

    def __init__(self, settings: OutboxSettings, *, clock: Clock) -> None:
        """Prepare settings.path; ages are running time on `clock`'s monotonic side."""
        self.problem: str | None = None
        """What is wrong now, for a person; None when nothing is."""
        self.accepted = 0
        """Events that were committed since the start."""
        self._settings = settings
        self._path = Path(settings.path)
        self._clock = clock
        self._buffers = Buffers(clock=clock, send_per_s=settings.send_per_s)
        self._store: Store | None = None
        self._base_s = 0.0
        self._cursor = 0
        self._last_seq = 0
        self._retry_at = float("-inf")
        self._oldest_at: float | None = None
        self._wake: Callable[[], None] | None = None
        self._due = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        """Open the file and start to write; SinkError when it can never be written."""
        if self._thread is not None:
            raise SinkError(f"{self._path}: this outbox is open already; make one Outbox for each use")
        try:
            touch(self._path)
        except OSError as error:
            if error.errno not in PASSING_ERRORS:
                raise SinkError(
                    f"{self._path}: cannot write the outbox ({error.strerror}); give outbox.path a file that this user "
                    f"may write, in a folder that survives a restart, or leave it empty"
                ) from error
        self._turn()
        self._thread = threading.Thread(target=self._run, name="outbox", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        """Commit what is new and what was acknowledged, and close the file."""
        self._stopping.set()
        self._due.set()
        if self._thread is not None:
            self._thread.join(CLOSE_TIMEOUT_S)
        lost = self._buffers.uncommitted()
        if lost:
            self.dropped["close"] += lost
            logger.error("%s: %d events could not be stored and are lost: %s", self._path, lost, self.problem)

    @property
    def dropped(self) -> Counter[str]:
        """Events that were lost, by reason: rows, bytes and age are limits, the others are faults."""
        return self._buffers.dropped

    def append(self, message: Message) -> None:
        """Take one event; it is accepted with the next group commit."""
        self._buffers.append(StoredEvent(message.topic, message.schema, message.to_json()))
        self._due.set()

    def take(self, limit: int) -> Sequence[tuple[int, Message]]:
        """Hand out committed events in order, each once until `rewind`, at the configured rate."""
        taken = self._buffers.take(limit)
        if taken:
            self._due.set()
        return taken

    def acknowledge(self, key: int) -> None:
        """Note that the broker has an event; it stays for a replay."""
        self._buffers.acknowledge(key)
        self._due.set()

    def rewind(self) -> None:
        """Hand out again what was handed out and not acknowledged."""
        self._buffers.rewind()

    def pending(self) -> int:
        """Count the events that are not acknowledged."""
        return self._buffers.pending()

    def wake_with(self, wake: Callable[[], None]) -> None:
        """Call `wake`, from the outbox's thread, when events became ready."""
        self._wake = wake

    def flush(self, timeout_s: float) -> bool:
        """Wait until everything appended so far is committed; whether that came true in time."""
        self._due.set()
        return self._buffers.wait_until_stored(timeout_s)

    def oldest_age_s(self) -> float:
        """Return how long the oldest unacknowledged event has waited, seconds of running time; 0 when none waits."""
        return 0.0 if self._oldest_at is None else max(0.0, self._now() - self._oldest_at)

    def _now(self) -> float:
        return self._base_s + self._clock.monotonic()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._due.wait(LOOK_AGAIN_S)
            self._due.clear()
            self._stopping.wait(self._settings.commit_ms / 1000.0)  # let a group gather
            self._turn()
        self._retry_at = float("-inf")
        self._turn()
        if self._store is not None:
            self._store.close()

    def _turn(self) -> None:
        """Write one group and read ahead; a bad disk is tried again later, a damaged file replaced at once."""
        try:
            if self._is_open():
                self._write()
                self._read_ahead()
                self._recovered()
        except FAULTS as error:
            self._trouble(error)
        # Not while a damaged file is replaced, which is done at once: what came meanwhile is stored in the new one.
        is_out_of_order = self._store is None and self._retry_at > float("-inf")
        if is_out_of_order and self._buffers.pass_on(PASS_ON_EVENTS):
            self._ring()

    def _is_open(self) -> bool:
        if self._store is None:
            if self._clock.monotonic() < self._retry_at:
                return False
            self._store = Store(self._settings, after_seq=self._last_seq)
            self._base_s = max(self._base_s, self._store.last_stored_at() - self._clock.monotonic())
            self._cursor = 0
        return True

    def _write(self) -> None:
        while self._store is not None and self._buffers.has_news():
            events, sent = self._buffers.open_group()
            try:
                dropped = self._store.commit(events, sent, self._now())
            except FAULTS:
                self._buffers.group_failed()
                raise
            self.accepted += len(events)
            self.dropped.update(dropped)
            self._buffers.group_is_stored(self._store.waiting, trimmed_to=self._store.trimmed_to)

    def _read_ahead(self) -> None:
        if self._store is None:
            return
        if self._store.changed_by_others():
            self._cursor = 0  # someone asked for a replay: look at every row again
            self._buffers.drop(self._store.missing(self._buffers.read_ahead()))  # or purged what was read ahead
        rows = self._store.read(self._cursor, self._buffers.room())
        self._cursor = rows[-1][0] if rows else self._cursor
        self._oldest_at = self._store.oldest_waiting_at()
        if self._buffers.add_ready(rows, self._store.waiting):
            self._ring()

    def _ring(self) -> None:
        if self._wake is not None:
            self._wake()

    def _recovered(self) -> None:
        if self.problem is not None:
            logger.warning("%s: can be written again", self._path)
            self.problem = None
            self._buffers.disk_is_bad = False

    def _trouble(self, error: sqlite3.Error | MemoryError) -> None:
        waiting = 0
        if self._store is not None:
            waiting, self._last_seq = self._store.waiting, self._store.last_seq
            self._store.close()
            self._store = None
        if is_damage(error):
            self._begin_anew(error, waiting)
            return
        self._retry_at = self._clock.monotonic() + RETRY_S
        told = str(error) or "out of memory"
        if self.problem is None:
            logger.warning("%s: %s, keeping events in memory and trying again", self._path, told)
        self.problem = f"outbox: {told}"
        self._buffers.disk_is_bad = True

    def _begin_anew(self, error: Exception, waiting: int) -> None:
        """Keep a damaged file for whoever wants to look, and go on without its events.

        Args:
            error: what SQLite says.
            waiting: unacknowledged events in it, as far as known.
        """
        try:
            damaged = move_aside(self._path)
        except OSError as refused:
            logger.warning("%s: damaged (%s) and cannot be renamed (%s)", self._path, error, refused.strerror)
            self._retry_at = self._clock.monotonic() + RETRY_S
            self.problem = f"outbox: {error}"
            return
        logger.error("%s: damaged (%s); moved to %s, a new outbox is begun", self._path, error, damaged)
        self._buffers.forget_disk()
        self.dropped["damaged"] += max(1, waiting)
        self._retry_at = float("-inf")
        self._due.set()
