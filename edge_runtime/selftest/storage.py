"""The outbox's disk takes an event durably and gives it back."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from edge_runtime.errors import SinkError
from edge_runtime.outbox.store import Store, StoredEvent
from edge_runtime.selftest.verdict import Case
from edge_runtime.settings import Config, Outbox

_EVENT: Final = StoredEvent("event", "emotion-edge.event/1", b'{"event_type": "system", "message": "selftest"}')


def cases(config: Config, _capture_s: float) -> Iterator[Case]:
    """Write and read beside the configured outbox; the outbox itself belongs to the service."""
    yield Case("outbox", lambda: _written_and_read(config.outbox))


def _written_and_read(settings: Outbox) -> str | None:
    if not settings.path:
        return None
    scratch = Path(f"{settings.path}.selftest")
    try:
        _remove(scratch)  # what a self-test that was killed has left is no sign of a bad card
        took_ms = _committed(msgspec.structs.replace(settings, path=str(scratch)))
    except SinkError:  # is an OSError too, and says what to do
        raise
    except (sqlite3.Error, OSError) as error:
        raise SinkError(
            f"{scratch}: cannot write and read an event ({error}); run as the service's user, and look whether the "
            f"disk is full or read-only"
        ) from error
    finally:
        with suppress(OSError):  # was told above
            _remove(scratch)
    return f"{scratch.parent}: one event written to the disk and read back, {took_ms:.1f} ms"


def _remove(scratch: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        scratch.with_name(scratch.name + suffix).unlink(missing_ok=True)


def _committed(settings: Outbox) -> float:
    """Commit one event as the outbox does, close, open and read it; returns milliseconds of the commit."""
    store = Store(settings)
    try:
        started = time.monotonic()
        store.commit([_EVENT], [], 0.0)
        took_ms = (time.monotonic() - started) * 1000
    finally:
        store.close()
    again = Store(settings)
    try:
        found = [event for _, event in again.read(0, 2)]
    finally:
        again.close()
    if found != [_EVENT]:
        raise SinkError(f"{settings.path}: wrote one event, read {found}; the card is damaged, replace it")
    return took_ms
