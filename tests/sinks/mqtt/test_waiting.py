from __future__ import annotations

import itertools
import sys
import threading

from edge_runtime.clock import SystemClock
from edge_runtime.settings import Mqtt
from edge_runtime.sinks.mqtt import MqttSink
from edge_runtime.sinks.mqtt.waiting import MemoryQueue
from tests.samples import event_message


def filled(count: int, *, size: int = 100) -> MemoryQueue:
    queue = MemoryQueue(size)
    for seq in range(1, count + 1):
        queue.append(event_message(seq))
    return queue


def keys(queue: MemoryQueue, limit: int = 100) -> list[int]:
    return [key for key, _ in queue.take(limit)]


def test_events_are_handed_out_once_and_in_order() -> None:
    queue = filled(5)

    assert keys(queue, 2) == [1, 2]
    assert keys(queue) == [3, 4, 5]
    assert keys(queue) == []
    assert queue.pending() == 5


def test_what_is_acknowledged_is_forgotten() -> None:
    queue = filled(3)

    for key in keys(queue, 2):
        queue.acknowledge(key)

    assert queue.pending() == 1


def test_after_a_rewind_the_unacknowledged_come_first_and_in_order() -> None:
    queue = filled(5)
    keys(queue, 3)

    queue.acknowledge(2)
    queue.rewind()

    assert keys(queue) == [1, 3, 4, 5]


def test_a_full_queue_drops_its_oldest_that_is_not_on_the_way() -> None:
    queue = filled(3, size=3)
    keys(queue, 1)

    queue.append(event_message(4))

    assert queue.dropped == {"queue_full": 1}
    queue.rewind()
    assert keys(queue) == [1, 3, 4]


def test_an_append_wakes_whoever_takes() -> None:
    queue = MemoryQueue(3)
    woken: list[int] = []
    queue.wake_with(lambda: woken.append(queue.pending()))

    queue.append(event_message())

    assert woken == [1]


def test_losses_are_added_up_while_other_threads_count() -> None:
    queue = MemoryQueue(1)
    sink = MqttSink(Mqtt(host="127.0.0.1"), device_id="kiosk-1", clock=SystemClock(), outbox=queue)
    ended = threading.Event()

    def count() -> None:
        for number in itertools.count():
            queue.dropped[str(number % 100)] = 1
            if number % 100 == 99:
                queue.dropped.clear()
            if ended.is_set():
                return

    before_s = sys.getswitchinterval()
    counting = threading.Thread(target=count)
    try:
        sys.setswitchinterval(1e-6)
        counting.start()
        added = [sink.dropped.total() for _ in range(2000)]  # RuntimeError would end the frame loop
    finally:
        ended.set()
        counting.join()
        sys.setswitchinterval(before_s)

    assert max(added) <= 100
