from __future__ import annotations

import logging
import sqlite3
import threading
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edge_runtime.clock import SystemClock
from edge_runtime.errors import SinkError
from edge_runtime.outbox import Outbox
from edge_runtime.outbox.inspection import purge_everything, purge_sent, replay, rows, summary
from edge_runtime.settings import Outbox as Settings
from edge_runtime.sinks.mqtt.waiting import EventQueue
from tests.broker import wait_until
from tests.samples import event_message

PATIENCE_S = 20.0


def outbox_at(path: Path) -> Outbox:
    return Outbox(Settings(path=str(path), commit_ms=10, send_per_s=10_000.0), clock=SystemClock())


def take(queue: EventQueue, count: int) -> dict[int, int]:
    """Wait until so many events could be taken; their sequence numbers by key."""
    taken: dict[int, int] = {}

    def enough() -> bool:
        for key, message in queue.take(count - len(taken)):
            taken[key] = msgspec.json.decode(message.to_json())["seq"]
        return len(taken) == count

    wait_until(enough, what=f"{count} events")
    return taken


def test_committed_events_are_taken_in_order(tmp_path: Path) -> None:
    with outbox_at(tmp_path / "outbox.db") as outbox:
        for seq in range(1, 501):
            outbox.append(event_message(seq))
        taken = take(outbox, 500)

    assert list(taken.values()) == list(range(1, 501))
    assert outbox.accepted == 500
    assert not outbox.dropped


def test_nothing_is_taken_before_it_is_committed(tmp_path: Path) -> None:
    settings = Settings(path=str(tmp_path / "outbox.db"), commit_ms=10_000)

    with Outbox(settings, clock=SystemClock()) as outbox:
        outbox.append(event_message())

        assert list(outbox.take(10)) == []
        assert outbox.pending() == 1


def test_what_was_not_acknowledged_is_taken_again_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    with outbox_at(path) as first:
        for seq in range(1, 11):
            first.append(event_message(seq))
        taken = take(first, 10)
        for key in list(taken)[:6]:
            first.acknowledge(key)

    with outbox_at(path) as second:
        again = take(second, 4)

    assert list(again.values()) == [7, 8, 9, 10]


def test_an_end_commits_what_was_just_appended(tmp_path: Path) -> None:
    settings = Settings(path=str(tmp_path / "outbox.db"), commit_ms=10_000)

    with Outbox(settings, clock=SystemClock()) as outbox:
        outbox.append(event_message())

    assert summary(tmp_path / "outbox.db").waiting == 1
    assert "outbox" not in {thread.name for thread in threading.enumerate()}


def test_flush_waits_for_the_commit(tmp_path: Path) -> None:
    with outbox_at(tmp_path / "outbox.db") as outbox:
        outbox.append(event_message())

        assert outbox.flush(PATIENCE_S)
        assert outbox.accepted == 1
        assert outbox.oldest_age_s() >= 0.0


def test_whoever_takes_is_woken(tmp_path: Path) -> None:
    woken = threading.Event()

    with outbox_at(tmp_path / "outbox.db") as outbox:
        outbox.wake_with(woken.set)
        outbox.append(event_message())

        assert woken.wait(PATIENCE_S)


def test_a_replay_is_noticed_while_the_outbox_is_open(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"

    with outbox_at(path) as outbox:
        for seq in range(1, 6):
            outbox.append(event_message(seq))
        for key in take(outbox, 5):
            outbox.acknowledge(key)
        wait_until(lambda: summary(path).sent == 5, what="acknowledgements on disk")
        count = replay(path, from_seq=3)
        again = take(outbox, 3)

    assert count == 3
    assert list(again.values()) == [3, 4, 5]


@pytest.mark.parametrize("place", ["BEGIN IMMEDIATE", "COMMIT"])
def test_no_event_is_lost_when_sqlite_finds_no_memory(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Python makes a MemoryError of SQLITE_NOMEM, as `PRAGMA hard_heap_limit` shows; the limit would be this process'.
    left = [place]

    class Short(sqlite3.Connection):
        def execute(self, statement: str, *values: Any) -> sqlite3.Cursor:  # noqa: ANN401  as sqlite3 has it
            if left == [statement]:
                left.clear()
                raise MemoryError
            return super().execute(statement, *values)

    connected = partial(sqlite3.connect, isolation_level=None, check_same_thread=False, factory=Short)
    monkeypatch.setattr("edge_runtime.outbox.store.connect", connected)

    with outbox_at(tmp_path / "outbox.db") as outbox:
        outbox.append(event_message(1))
        wait_until(lambda: outbox.problem == "outbox: out of memory", what="the trouble")
        outbox.append(event_message(2))
        taken = take(outbox, 2)

    assert list(taken.values()) == [1, 2]
    assert outbox.problem is None
    assert not outbox.dropped


def test_show_tells_numbers_and_what_waits(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    with outbox_at(path) as outbox:
        for seq in range(1, 4):
            outbox.append(event_message(seq))
        outbox.acknowledge(next(iter(take(outbox, 1))))

    found = rows(path, limit=2)
    whole = summary(path)

    assert [(row.seq, row.event_seq, row.event_type, row.waiting) for row in found] == [
        (2, 2, "emotion_started", True),
        (3, 3, "emotion_started", True),
    ]
    assert (whole.waiting, whole.sent, whole.first_seq, whole.last_seq) == (2, 1, 1, 3)
    assert whole.payload_bytes == sum(len(event_message(seq).to_json()) for seq in range(1, 4))


def test_purge_leaves_what_waits_unless_told_otherwise(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    with outbox_at(path) as outbox:
        for seq in range(1, 4):
            outbox.append(event_message(seq))
        outbox.acknowledge(next(iter(take(outbox, 1))))

    sent = purge_sent(path)
    left = summary(path).waiting
    rest = purge_everything(path)

    assert (sent, left, rest) == (1, 2, 2)


def test_an_outbox_that_is_not_there_is_told_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match=r"no outbox there; expected the file of outbox\.path"):
        summary(tmp_path / "outbox.db")


def test_a_file_that_can_never_be_written_is_refused_with_a_remedy(tmp_path: Path) -> None:
    with (
        pytest.raises(SinkError, match=r"cannot write the outbox \(Is a directory\); give outbox\.path a file"),
        outbox_at(tmp_path),
    ):
        pass


def test_an_outbox_is_opened_once(tmp_path: Path) -> None:
    with (
        outbox_at(tmp_path / "outbox.db") as outbox,
        pytest.raises(SinkError, match="open already"),
        outbox,
    ):
        pass


def test_a_damaged_file_is_moved_aside_and_a_new_one_begun(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "outbox.db"
    path.write_bytes(b"SQLite format 3\x00" + b"\xff" * 8176)

    with caplog.at_level(logging.ERROR), outbox_at(path) as outbox:
        outbox.append(event_message(1))
        taken = take(outbox, 1)

    assert list(taken.values()) == [1]
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert "a new outbox is begun" in caplog.text
    assert (tmp_path / "outbox.db.damaged").stat().st_size == 8192
    assert outbox.dropped == {"damaged": 1}


def test_a_file_that_is_damaged_in_use_is_replaced_and_events_go_on(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    many = 2000  # more than SQLite keeps in memory, so that it must read the damaged part

    with outbox_at(path) as outbox:
        for _ in range(4):
            for seq in range(1, many // 4 + 1):
                outbox.append(event_message(seq))
            assert outbox.flush(PATIENCE_S)
        with path.open("r+b") as file:
            file.seek(8192)
            file.write(b"\xff" * (path.stat().st_size - 8192))
        take(outbox, 256)  # what was read ahead; more has to be read now
        wait_until((tmp_path / "outbox.db.damaged").exists, what="the damaged file is moved aside")
        outbox.append(event_message(1))
        assert outbox.flush(PATIENCE_S)

    assert [row.event_seq for row in rows(path)] == [1]
    assert outbox.dropped["damaged"] == many


def test_what_was_purged_is_not_sent_though_it_was_read_ahead(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"

    with outbox_at(path) as outbox:
        for seq in range(1, 11):
            outbox.append(event_message(seq))
        take(outbox, 3)
        assert purge_everything(path) == 10
        wait_until(lambda: outbox.pending() == 0, what="the purge is noticed")
        outbox.rewind()
        left = outbox.take(100)
        outbox.append(event_message(11))
        new = take(outbox, 1)

    assert not left
    assert list(new.values()) == [11]


def test_what_comes_while_a_damaged_file_is_replaced_is_stored_in_the_new_one(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    path.write_bytes(b"no data base" * 1000)
    outbox = outbox_at(path)
    outbox.append(event_message(1))

    with outbox:
        assert outbox.flush(PATIENCE_S)

    assert [row.event_seq for row in rows(path)] == [1]
