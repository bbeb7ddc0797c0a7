from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from edge_runtime.outbox.inspection import purge_everything, purge_sent, replay
from edge_runtime.outbox.store import TABLE, TRIM_ROWS, Store, StoredEvent, is_damage
from edge_runtime.settings import Outbox
from tests.samples import event_message

HOUR_S = 3600.0


def stored(seq: int, *, padding: int = 0) -> StoredEvent:
    message = event_message(seq)
    return StoredEvent(message.topic, message.schema, message.to_json() + b" " * padding)


def store_at(path: Path, **limits: float) -> Store:
    return Store(msgspec.convert({"path": str(path)} | limits, Outbox))


def event_seqs(store: Store) -> list[int]:
    return [msgspec.json.decode(event.to_json())["seq"] for _, event in store.read(0, 10_000)]


def test_rows_come_back_in_order_after_a_restart(tmp_path: Path) -> None:
    first = store_at(tmp_path / "outbox.db")
    first.commit([stored(1), stored(2)], (), 1.0)
    first.commit([stored(3)], (), 2.0)
    first.close()

    second = store_at(tmp_path / "outbox.db")

    assert event_seqs(second) == [1, 2, 3]
    assert second.waiting == 3
    assert second.last_stored_at() == 2.0
    assert second.oldest_waiting_at() == 1.0
    second.close()


def test_acknowledged_rows_wait_no_more_but_stay(tmp_path: Path) -> None:
    store = store_at(tmp_path / "outbox.db")
    store.commit([stored(1), stored(2), stored(3)], (), 0.0)

    dropped = store.commit([], {1, 3}, 1.0)

    assert event_seqs(store) == [2]
    assert store.waiting == 1
    assert not dropped
    store.close()


def test_a_row_that_is_acknowledged_twice_counts_once(tmp_path: Path) -> None:
    store = store_at(tmp_path / "outbox.db")
    store.commit([stored(1), stored(2)], (), 0.0)

    store.commit([], {1}, 1.0)
    store.commit([], {1}, 2.0)

    assert store.waiting == 1
    store.close()


def test_reading_goes_on_after_a_row(tmp_path: Path) -> None:
    store = store_at(tmp_path / "outbox.db")
    store.commit([stored(seq) for seq in range(1, 6)], (), 0.0)

    rows = store.read(2, 2)

    assert [seq for seq, _ in rows] == [3, 4]
    store.close()


def test_the_oldest_rows_go_when_there_are_too_many(tmp_path: Path) -> None:
    store = store_at(tmp_path / "outbox.db", max_rows=10)

    dropped = store.commit([stored(seq) for seq in range(1, 15)], (), 0.0)

    assert dropped == {"rows": 4}
    assert event_seqs(store) == list(range(5, 15))
    assert store.waiting == 10
    store.close()


def test_acknowledged_rows_go_first_and_are_no_loss(tmp_path: Path) -> None:
    store = store_at(tmp_path / "outbox.db", max_rows=10)
    store.commit([stored(seq) for seq in range(1, 11)], (), 0.0)
    store.commit([], set(range(1, 6)), 0.0)

    dropped = store.commit([stored(seq) for seq in range(11, 17)], (), 1.0)

    assert dropped == {"rows": 1}
    assert event_seqs(store) == list(range(7, 17))
    store.close()


def test_the_size_on_disk_is_bounded(tmp_path: Path) -> None:
    store = store_at(tmp_path / "outbox.db", max_mb=1.0)
    dropped = 0

    for group in range(100):
        seqs = range(group * 20, group * 20 + 20)
        dropped += store.commit([stored(seq + 1, padding=2000) for seq in seqs], (), 0.0)["bytes"]

    assert dropped % TRIM_ROWS == 0
    assert store.waiting == 2000 - dropped
    assert event_seqs(store)[-1] == 2000
    store.close()
    assert 0.5e6 < (tmp_path / "outbox.db").stat().st_size < 1.2e6


def test_rows_that_wait_too_long_are_dropped_by_running_time(tmp_path: Path) -> None:
    store = store_at(tmp_path / "outbox.db", max_age_h=2.0)
    store.commit([stored(1)], (), 0.0)
    store.commit([stored(2)], (), HOUR_S)

    dropped = store.commit([stored(3)], (), 2.5 * HOUR_S)

    assert dropped == {"age": 1}
    assert event_seqs(store) == [2, 3]
    store.close()


def test_the_replay_window_ends_by_running_time(tmp_path: Path) -> None:
    store = store_at(tmp_path / "outbox.db", replay_h=1.0)
    store.commit([stored(1), stored(2)], (), 0.0)
    store.commit([], {1}, 0.0)

    before = store.commit([stored(3)], (), 0.5 * HOUR_S)
    after = store.commit([stored(4)], (), 1.5 * HOUR_S)

    assert not before
    assert not after
    assert store.trimmed_to == 1
    assert event_seqs(store) == [2, 3, 4]
    store.close()


def test_numbers_are_never_used_again(tmp_path: Path) -> None:
    store = store_at(tmp_path / "outbox.db", replay_h=0.0)
    store.commit([stored(1), stored(2)], (), 0.0)
    store.commit([], {1, 2}, 0.0)
    store.commit([], (), 1.0)

    store.commit([stored(3)], (), 2.0)

    assert [seq for seq, _ in store.read(0, 10)] == [3]
    store.close()


def test_a_replayed_row_says_so() -> None:
    again = StoredEvent("event", "emotion-edge.event/1", event_message(5).to_json(), replayed=True)

    payload = msgspec.json.decode(again.to_json())

    assert payload == msgspec.json.decode(event_message(5).to_json()) | {"replayed": True}


@pytest.mark.parametrize("content", [b"not a database" * 100, b"SQLite format 3\x00" + b"\xff" * 8176])
def test_a_damaged_file_is_told_from_a_bad_disk(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "outbox.db"
    path.write_bytes(content)

    with pytest.raises(sqlite3.DatabaseError) as damage:
        store_at(path)
    with pytest.raises(sqlite3.OperationalError) as trouble:
        store_at(tmp_path / "no such folder" / "outbox.db")

    assert is_damage(damage.value)
    assert not is_damage(trouble.value)


def test_events_that_are_asked_for_again_wait_from_then_on_however_old_they_are(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    store = store_at(path, max_age_h=1.0, replay_h=48.0)
    store.commit([stored(1), stored(2)], (), 0.0)
    store.commit([], {1, 2}, 10.0)

    replay(path, from_seq=1)
    dropped = store.commit([stored(3)], (), 24 * HOUR_S)

    assert not dropped
    assert event_seqs(store) == [1, 2, 3]
    assert store.commit([], (), 25.5 * HOUR_S) == {"age": 3}
    store.close()


def test_events_that_are_asked_for_twice_wait_from_the_second_time_on(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    store = store_at(path, max_age_h=1.0, replay_h=48.0)
    store.commit([stored(1)], (), 0.0)
    for hour in (10, 20):
        store.commit([], {1}, hour * HOUR_S)
        replay(path, from_seq=1)

        assert not store.commit([], (), (hour + 9) * HOUR_S)

    assert event_seqs(store) == [1]
    store.close()


@pytest.mark.parametrize("purge", [purge_sent, purge_everything])
def test_numbers_go_on_after_a_purge_and_a_restart(purge: Callable[[Path], int], tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    first = store_at(path)
    first.commit([stored(1), stored(2)], {1, 2}, 0.0)
    first.commit([], {1, 2}, 0.0)
    first.close()
    purge(path)

    second = store_at(path)
    second.commit([stored(3)], (), 0.0)

    assert [seq for seq, _ in second.read(0, 10)] == [3]
    second.close()


def test_numbers_go_on_after_all_rows_were_too_old_and_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    first = store_at(path, replay_h=0.0)
    first.commit([stored(1), stored(2)], (), 0.0)
    first.commit([], {1, 2}, 1.0)
    first.commit([], (), 2.0)
    first.close()

    second = store_at(path)
    second.commit([stored(3)], (), 0.0)

    assert [seq for seq, _ in second.read(0, 10)] == [3]
    second.close()


def test_an_outbox_of_an_earlier_version_is_read_on(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    with closing(sqlite3.connect(path)) as earlier, earlier:
        earlier.execute(TABLE)
        earlier.execute("INSERT INTO outbox VALUES (7, 'event', 'emotion-edge.event/1', x'7b7d', 1.0, 2.0, 1)")

    store = store_at(path)
    store.commit([stored(8)], (), 3.0)

    assert [seq for seq, _ in store.read(0, 10)] == [8]
    store.close()
