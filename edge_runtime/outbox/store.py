"""The outbox's table: all SQL is here. One thread owns a store; another process may look at or change the same file.

Times are seconds of running time: the monotonic clock, added up over the starts of the program as far as rows tell.
The wall clock may step by years on a board without a battery and must not make events old.
"""

from __future__ import annotations

import os
import sqlite3
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from edge_runtime.settings import Outbox as OutboxSettings

TABLE: Final = """
CREATE TABLE IF NOT EXISTS outbox (
    seq INTEGER PRIMARY KEY,
    topic TEXT NOT NULL,
    schema TEXT NOT NULL,
    payload BLOB NOT NULL,
    stored_at REAL NOT NULL,
    sent_at REAL,
    replayed INTEGER NOT NULL DEFAULT 0
)
"""
INDEX: Final = "CREATE INDEX IF NOT EXISTS waiting ON outbox (seq) WHERE sent_at IS NULL"
ASKED_INDEX: Final = "CREATE INDEX IF NOT EXISTS asked ON outbox (seq) WHERE replayed = 1"
"""replayed: 0 = never, 1 = just asked for, 2 = waits anew since `stored_at`."""

FAULTS: Final = (sqlite3.Error, MemoryError)
"""What calls of SQLite raise: Python turns SQLITE_NOMEM into a MemoryError, which is no sqlite3.Error."""

BUSY_TIMEOUT_S: Final = 2.0
"""How long another process that is writing is waited for."""

CHECKPOINT_PAGES: Final = 256
"""The write-ahead log is folded into the database when it has so many pages, 1 MB."""

TRIM_ROWS: Final = 64
"""Rows that are deleted at a time when there are too many bytes."""

TRIM_STEPS: Final = 512
"""Deletions in one group commit at most; the next one goes on."""


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """A row, as a message for a sink."""

    topic: str
    schema: str
    payload: bytes
    replayed: bool = False
    """Asked for once more: the payload says so."""
    durable: bool = True

    def to_json(self) -> bytes:
        """Return the payload as it was written, marked if it is sent once more; a damaged one cannot be marked."""
        if not self.replayed:
            return self.payload
        try:
            fields = msgspec.json.decode(self.payload, type=dict[str, msgspec.Raw])
        except (msgspec.DecodeError, UnicodeDecodeError):
            return self.payload
        return msgspec.json.encode(fields | {"replayed": True})


class Store:
    """One open database."""

    def __init__(self, settings: OutboxSettings, *, after_seq: int = 0) -> None:
        """Open or create the file; sqlite3.DatabaseError when it is damaged, OperationalError when the disk is.

        Args:
            settings: path and limits.
            after_seq: numbers up to this one were used before and are not used again.
        """
        self.waiting = 0
        """Rows that are not acknowledged."""
        self.trimmed_to = 0
        """Rows up to this number were deleted."""
        self._version = 0.0
        # Counted here and not by AUTOINCREMENT, which writes one more page to the SD card at every commit.
        self.last_seq = after_seq
        """Number of the newest row."""
        self._settings = settings
        self._database = connect(Path(settings.path))
        # A flipped bit must not keep all other rows from being read.
        self._database.text_factory = lambda raw: raw.decode("utf-8", errors="replace")
        try:
            self._prepare()
        except FAULTS:
            self._database.close()
            raise

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def last_stored_at(self) -> float:
        """Return the running time at which the newest row was stored; 0 when there is none."""
        return self._number("SELECT stored_at FROM outbox ORDER BY seq DESC LIMIT 1")

    def oldest_waiting_at(self) -> float | None:
        """Return the running time at which the oldest unacknowledged row was stored."""
        query = "SELECT stored_at FROM outbox WHERE seq = (SELECT min(seq) FROM outbox WHERE sent_at IS NULL)"
        row = self._database.execute(query).fetchone()
        return None if row is None else float(row[0])

    def changed_by_others(self) -> bool:
        """Whether another process wrote since the last call; counts again if so."""
        version = self._number("PRAGMA data_version")
        if version == self._version:
            return False
        self._version = version
        self.waiting = self._count_waiting()
        return True

    def read(self, after_seq: int, limit: int) -> list[tuple[int, StoredEvent]]:
        """Return the next unacknowledged rows in order."""
        rows = self._database.execute(
            "SELECT seq, topic, schema, payload, replayed FROM outbox WHERE sent_at IS NULL AND seq > ? "
            "ORDER BY seq LIMIT ?",
            (after_seq, limit),
        )
        return [(seq, StoredEvent(topic, schema, payload, bool(again))) for seq, topic, schema, payload, again in rows]

    def missing(self, seqs: Collection[int]) -> frozenset[int]:
        """Return which of these rows are not there any more."""
        query = "SELECT 1 FROM outbox WHERE seq = ?"
        return frozenset(seq for seq in seqs if self._database.execute(query, (seq,)).fetchone() is None)

    def commit(self, events: Sequence[StoredEvent], sent: Collection[int], now: float) -> Counter[str]:
        """Write one group to the disk: new rows, acknowledgements, and the end of what is too old or too much.

        Args:
            events: new rows, in order.
            sent: rows that are acknowledged.
            now: running time, seconds.

        Returns:
            Unacknowledged rows that were deleted, by reason.
        """
        self._database.execute("BEGIN IMMEDIATE")
        try:
            self._database.executemany(
                "INSERT INTO outbox (seq, topic, schema, payload, stored_at) VALUES (?, ?, ?, ?, ?)",
                [
                    (seq, event.topic, event.schema, event.payload, now)
                    for seq, event in enumerate(events, start=self.last_seq + 1)
                ],
            )
            acknowledged = self._acknowledge(sent, now)
            self._date_replays(now)
            dropped = self._trim(now)
            self._database.execute("COMMIT")
        except FAULTS:
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")
            raise
        self.last_seq += len(events)
        self.waiting += len(events) - acknowledged - sum(dropped.values())
        return dropped

    def _prepare(self) -> None:
        for statement in (
            "PRAGMA journal_mode = WAL",
            "PRAGMA synchronous = FULL",  # NORMAL may lose the last commits at a power cut
            f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}",
            f"PRAGMA journal_size_limit = {4 * CHECKPOINT_PAGES * 4096}",
            TABLE,
            INDEX,
            ASKED_INDEX,
        ):
            self._database.execute(statement)
        self._version = self._number("PRAGMA data_version")
        self.waiting = self._count_waiting()
        newest = self._number("SELECT max(seq) FROM outbox")
        self.last_seq = max(self.last_seq, int(newest), int(self._number("PRAGMA user_version")))
        self.read(0, 1)
        self.last_stored_at()

    def _acknowledge(self, sent: Collection[int], now: float) -> int:
        acknowledged = 0
        for seq in sent:
            done = self._database.execute("UPDATE outbox SET sent_at = ? WHERE seq = ? AND sent_at IS NULL", (now, seq))
            acknowledged += done.rowcount
        return acknowledged

    def _date_replays(self, now: float) -> None:
        """Let events that were asked for once more wait from now on: they may be older than any that still waits."""
        self._database.execute("UPDATE outbox SET replayed = 2, stored_at = ? WHERE replayed = 1", (now,))

    def _trim(self, now: float) -> Counter[str]:
        """Delete from the oldest on. Rows are sent in order, so the acknowledged ones go first."""
        dropped: Counter[str] = Counter()
        for _ in range(TRIM_STEPS):
            reason = self._too_much(now)
            if reason is None:
                break
            oldest = self._database.execute(
                "SELECT seq, sent_at IS NULL FROM outbox ORDER BY seq LIMIT ?", (TRIM_ROWS if reason == "bytes" else 1,)
            ).fetchall()
            dropped[reason] += sum(waits for _, waits in oldest)
            self.trimmed_to = oldest[-1][0]
            if self.trimmed_to == self._number("SELECT max(seq) FROM outbox"):
                note_last_seq(self._database)
            self._database.execute("DELETE FROM outbox WHERE seq <= ?", (self.trimmed_to,))
        return +dropped

    def _too_much(self, now: float) -> str | None:
        """Say why the oldest row must go; None when it may stay. Looks at the ends of the table only."""
        row = self._database.execute("SELECT seq, stored_at, sent_at FROM outbox ORDER BY seq LIMIT 1").fetchone()
        if row is None:
            return None
        seq, stored_at, sent_at = row
        if self._number("SELECT max(seq) FROM outbox") - seq + 1 > self._settings.max_rows:
            return "rows"
        if self._used_bytes() > self._settings.max_mb * 1e6:
            return "bytes"
        if sent_at is None:
            return "age" if now - stored_at > self._settings.max_age_h * 3600.0 else None
        return "sent" if now - sent_at > self._settings.replay_h * 3600.0 else None

    def _used_bytes(self) -> float:
        pages = self._number("PRAGMA page_count") - self._number("PRAGMA freelist_count")
        return pages * self._number("PRAGMA page_size")

    def _count_waiting(self) -> int:
        return int(self._number("SELECT count(*) FROM outbox WHERE sent_at IS NULL"))

    def _number(self, query: str) -> float:
        row = self._database.execute(query).fetchone()
        return 0.0 if row is None or row[0] is None else row[0]


def connect(path: Path) -> sqlite3.Connection:
    """Open a database file; every statement is a transaction of its own unless BEGIN says otherwise."""
    return sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)


def note_last_seq(database: sqlite3.Connection) -> None:
    """Put the newest row's number into the file's header, for it is about to go and must not be used again.

    Only then, because the header is a page of its own to write.
    """
    newest = database.execute("SELECT coalesce(max(seq), 0) FROM outbox").fetchone()[0]
    if newest:
        database.execute(f"PRAGMA user_version = {min(newest, 2**31 - 1)}")


def is_damage(error: sqlite3.Error | MemoryError) -> bool:
    """Whether the file itself is broken; a disk that is full or gone may come back."""
    return type(error) is sqlite3.DatabaseError


def touch(path: Path) -> None:
    """Create the file if it is missing, readable by the group alone; OSError when it can never be written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640))


def move_aside(path: Path) -> Path:
    """Rename a damaged database and its companions; the one that was moved before is replaced."""
    damaged = path.with_name(path.name + ".damaged")
    for suffix in ("", "-wal", "-shm"):
        companion = path.with_name(path.name + suffix)
        if companion.exists():
            companion.replace(damaged.with_name(damaged.name + suffix))
    return damaged
