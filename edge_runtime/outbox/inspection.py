"""What `emotion-edge outbox show | replay | purge` do. The service may run meanwhile: it notices within seconds."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec

from edge_runtime.errors import SinkError
from edge_runtime.outbox.store import connect, note_last_seq


class Row(msgspec.Struct, frozen=True):
    """One event in the outbox."""

    seq: int
    """The outbox's own number: what `replay --from` takes. It counts on over the starts of the program."""
    waiting: bool
    """Whether the broker has not acknowledged it."""
    boot_id: str
    event_seq: int
    """The event's own number within its boot_id."""
    event_type: str
    time: str


class _Told(msgspec.Struct):
    """What is shown of a payload."""

    boot_id: str = ""
    seq: int = 0
    event_type: str = ""
    time: str = ""


class Summary(msgspec.Struct, frozen=True):
    """The outbox at a glance."""

    path: str
    waiting: int
    """Events that the broker has not acknowledged."""
    sent: int
    """Acknowledged events that can still be replayed."""
    first_seq: int
    """0 when the outbox is empty."""
    last_seq: int
    payload_bytes: int


def summary(path: Path) -> Summary:
    """Count what is there; SinkError when there is no readable outbox."""
    query = (
        "SELECT count(*), count(sent_at), coalesce(min(seq), 0), coalesce(max(seq), 0), "
        "coalesce(sum(length(payload)), 0) FROM outbox"
    )
    with _opened(path) as database:
        total, sent, first_seq, last_seq, payload_bytes = database.execute(query).fetchone()
    return Summary(str(path), total - sent, sent, first_seq, last_seq, payload_bytes)


def rows(path: Path, *, limit: int = 20) -> list[Row]:
    """Return the newest rows, oldest of them first; SinkError when there is no readable outbox."""
    with _opened(path) as database:
        found = database.execute(
            "SELECT seq, sent_at IS NULL, payload FROM outbox ORDER BY seq DESC LIMIT ?", (limit,)
        ).fetchall()
    return [_row(seq, payload, waiting=bool(waits)) for seq, waits, payload in reversed(found)]


def replay(path: Path, *, from_seq: int) -> int:
    """Let every acknowledged row from a number on be sent again, marked `replayed`; how many these are."""
    return _change(
        path, "UPDATE outbox SET sent_at = NULL, replayed = 1 WHERE sent_at IS NOT NULL AND seq >= ?", from_seq
    )


def purge_sent(path: Path) -> int:
    """Delete what is acknowledged; how many rows these are."""
    return _change(path, "DELETE FROM outbox WHERE sent_at IS NOT NULL", before=note_last_seq)


def purge_everything(path: Path) -> int:
    """Delete every row, also what the broker never got; how many these are."""
    return _change(path, "DELETE FROM outbox", before=note_last_seq)


def _row(seq: int, payload: bytes, *, waiting: bool) -> Row:
    try:
        event = msgspec.json.decode(payload, type=_Told)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        event = _Told(event_type="damaged")
    return Row(seq, waiting, event.boot_id, event.seq, event.event_type, event.time)


def _change(
    path: Path, statement: str, *values: int, before: Callable[[sqlite3.Connection], None] = lambda _: None
) -> int:
    with _opened(path) as database:
        database.execute("BEGIN IMMEDIATE")
        before(database)
        count = database.execute(statement, values).rowcount
        database.execute("COMMIT")
    return count


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    if not path.is_file():
        raise SinkError(f"{path}: no outbox there; expected the file of outbox.path, written by `emotion-edge run`")
    try:
        with closing(connect(path)) as database:
            yield database
    except sqlite3.Error as error:
        raise SinkError(
            f"{path}: cannot use this outbox ({error}); run as the service's user, and look whether the disk is full"
        ) from error
