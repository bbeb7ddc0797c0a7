from __future__ import annotations

from edge_runtime.outbox.buffers import GROUP_EVENTS, MEMORY_EVENTS, READY_EVENTS, Buffers
from edge_runtime.outbox.store import StoredEvent
from edge_runtime.testing import ManualClock
from tests.samples import event_message


def stored(seq: int) -> StoredEvent:
    message = event_message(seq)
    return StoredEvent(message.topic, message.schema, message.to_json())


def with_ready(count: int, *, send_per_s: float = 1000.0, clock: ManualClock | None = None) -> Buffers:
    buffers = Buffers(clock=clock or ManualClock(), send_per_s=send_per_s)
    buffers.add_ready([(seq, stored(seq)) for seq in range(1, count + 1)], count)
    return buffers


def payloads(taken: list[tuple[int, StoredEvent]]) -> list[bytes]:
    return [event.payload for _, event in taken]


def test_only_so_many_events_wait_for_the_disk() -> None:
    buffers = Buffers(clock=ManualClock(), send_per_s=1.0)

    for seq in range(1, MEMORY_EVENTS + 4):
        buffers.append(stored(seq))

    oldest, _ = buffers.open_group()
    assert buffers.uncommitted() == MEMORY_EVENTS
    assert list(oldest) == [stored(seq) for seq in range(4, 4 + GROUP_EVENTS)]
    assert buffers.dropped == {"queue_full": 3}


def test_a_failed_group_waits_again_in_front_and_in_order() -> None:
    buffers = Buffers(clock=ManualClock(), send_per_s=1.0)
    buffers.append(stored(1))
    buffers.append(stored(2))

    buffers.open_group()
    buffers.append(stored(3))
    buffers.group_failed()

    events, _ = buffers.open_group()
    assert list(events) == [stored(1), stored(2), stored(3)]


def test_a_failed_group_keeps_its_acknowledgements() -> None:
    buffers = with_ready(2)
    first, second = buffers.take(2)
    buffers.acknowledge(first[0])

    buffers.open_group()
    buffers.acknowledge(second[0])
    buffers.group_failed()

    assert buffers.open_group()[1] == {1, 2}


def test_keys_are_not_row_numbers_and_rewind_keeps_the_order() -> None:
    buffers = with_ready(4)
    taken = buffers.take(3)
    buffers.acknowledge(taken[1][0])

    buffers.rewind()
    again = buffers.take(10)

    assert payloads(again) == [*payloads([taken[0], taken[2]]), stored(4).payload]
    assert {key for key, _ in again}.isdisjoint({key for key, _ in taken})


def test_a_late_acknowledgement_of_another_connection_does_nothing() -> None:
    buffers = with_ready(2)
    taken = buffers.take(1)
    buffers.rewind()

    buffers.acknowledge(taken[0][0])

    assert buffers.pending() == 2
    assert payloads(buffers.take(10)) == [stored(1).payload, stored(2).payload]


def test_the_rate_limits_what_is_taken() -> None:
    clock = ManualClock()
    buffers = with_ready(READY_EVENTS, send_per_s=50.0, clock=clock)

    at_once = len(buffers.take(1000))
    nothing_yet = len(buffers.take(1000))
    clock.advance(0.5)
    half_a_second_later = len(buffers.take(1000))

    assert (at_once, nothing_yet, half_a_second_later) == (50, 0, 25)


def test_rows_that_are_here_are_not_made_ready_twice() -> None:
    buffers = with_ready(3)
    taken = buffers.take(2)
    buffers.acknowledge(taken[0][0])

    fresh = buffers.add_ready([(seq, stored(seq)) for seq in (1, 2, 3, 4)], 4)

    assert fresh == 1
    assert payloads(buffers.take(10)) == [stored(3).payload, stored(4).payload]


def test_pending_counts_everything_that_is_not_acknowledged() -> None:
    buffers = with_ready(3)
    buffers.append(stored(4))
    key, _ = buffers.take(1)[0]

    before = buffers.pending()
    buffers.acknowledge(key)
    after = buffers.pending()
    buffers.open_group()
    in_a_commit = buffers.pending()
    buffers.group_is_stored(3, trimmed_to=0)

    assert (before, after, in_a_commit, buffers.pending()) == (4, 3, 3, 3)


def test_trimmed_rows_are_not_sent() -> None:
    buffers = with_ready(3)

    buffers.open_group()
    buffers.group_is_stored(1, trimmed_to=2)

    assert payloads(buffers.take(10)) == [stored(3).payload]


def test_while_the_disk_is_bad_some_events_are_passed_on() -> None:
    buffers = Buffers(clock=ManualClock(), send_per_s=1000.0)
    for seq in range(1, 6):
        buffers.append(stored(seq))

    passed = buffers.pass_on(3)

    assert passed == 3
    assert payloads(buffers.take(10)) == [stored(seq).payload for seq in (1, 2, 3)]
    assert buffers.pending() == 5


def test_rows_of_a_file_that_is_gone_are_not_acknowledged_in_the_next() -> None:
    buffers = with_ready(2)
    key, _ = buffers.take(1)[0]

    buffers.forget_disk()
    buffers.acknowledge(key)

    assert buffers.open_group()[1] == frozenset()
    assert payloads(buffers.take(10)) == [stored(2).payload]
