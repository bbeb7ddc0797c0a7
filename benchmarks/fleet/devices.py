"""One worker: many devices on one thread, each the product's own connection, queue, payloads and retry rule.

On a board a thread of its own serves the one connection. A thousand such threads on two cores would measure Python's
turns and not the broker, so here one loop serves them all.
"""

from __future__ import annotations

import logging
import random
import socket
import time
from collections import Counter
from contextlib import ExitStack
from multiprocessing import connection as pipes
from typing import Final

import msgspec

from benchmarks.fleet.limits import raise_file_limit
from benchmarks.fleet.plan import Plan, device_id
from edge_runtime.clock import SystemClock
from edge_runtime.interfaces import Message
from edge_runtime.payloads import OutMessage
from edge_runtime.settings import Mqtt
from edge_runtime.sinks.mqtt.connection import Connection
from edge_runtime.sinks.mqtt.failures import ConnectionLostError
from edge_runtime.sinks.mqtt.options import Options
from edge_runtime.sinks.mqtt.publisher import FIRST_RETRY_S, LONGEST_RETRY_S, STEADY_AFTER_S
from edge_runtime.sinks.mqtt.topics import AVAILABILITY, OFFLINE, ONLINE
from edge_runtime.sinks.mqtt.waiting import MemoryQueue
from tests.samples import event, observation, state, status

ROUND_S: Final = 0.2
"""How often every device has its turn."""

DRAIN_S: Final = 120.0
"""Longest wait for acknowledgements at the end."""


class Device:
    """What one device does, a turn at a time."""

    def __init__(self, number: int, port: int, plan: Plan, wake: socket.socket) -> None:
        """Begin unconnected; its periods begin at a moment of its own, as devices are not switched on in step."""
        self.name = device_id(number)
        self.queue = MemoryQueue(Mqtt().queue_size)
        self.sent = 0
        """Events that were handed to the queue; their `seq` counts from 1."""
        self.dropped: Counter[str] = Counter()
        self._plan = plan
        self._options = Options(Mqtt(host="127.0.0.1", port=port), self.name)
        self._clock, self._wake = SystemClock(), wake
        self._rng = random.Random(number)  # noqa: S311
        self._connection: Connection | None = None
        self._announced = False
        self._keys: dict[int, int] = {}
        self._retry_s, self._try_at, self._accepted_at = FIRST_RETRY_S, 0.0, float("inf")
        begin = time.monotonic()
        self._event_at = begin + self._rng.random() * plan.event_every_s
        self._observation_at = begin + self._rng.random() * plan.observation_every_s

    def turn(self, now: float) -> None:
        """Connect when it is time, read and write once, start over later when the broker is gone."""
        try:
            if self._connection is None and now >= self._try_at:
                self._connection = Connection(self._options, clock=self._clock, wake=self._wake)
            if self._connection is not None:
                self._serve(self._connection, now)
        except ConnectionLostError:
            self._lost(now)

    def publish_what_is_due(self, now: float) -> None:
        """Do what the frame loop would do."""
        if now >= self._event_at:
            self._event_at += self._plan.event_every_s
            self.sent += 1
            self.queue.append(OutMessage("event", msgspec.structs.replace(event(seq=self.sent), device_id=self.name)))
        if self._plan.observation_every_s and now >= self._observation_at:
            self._observation_at += self._plan.observation_every_s
            if self._connection is not None and self._announced:
                self._publish(self._connection, OutMessage("observation", observation()))
            else:
                self.dropped["observations_while_not_connected"] += 1

    def end(self) -> None:
        """Say goodbye."""
        if self._connection is not None and self._announced:
            self._connection.publish(AVAILABILITY, OFFLINE, schema=None)
            self._connection.close()

    def _serve(self, connection: Connection, now: float) -> None:
        connection.turn(0.0)
        for answer in connection.acknowledgements():
            key = self._keys.pop(answer.message_id, None)
            if key is not None:
                self.queue.acknowledge(key)
        if not connection.accepted:
            return
        if not self._announced:
            self._announced, self._accepted_at = True, now
            connection.publish(AVAILABILITY, ONLINE, schema=None)
            for message in (OutMessage("status", status()), OutMessage("state", state())):
                self._publish(connection, message)
        for key, waiting in self.queue.take(max(0, connection.room)):
            self._keys[self._publish(connection, waiting)] = key

    def _publish(self, connection: Connection, message: Message) -> int:
        return connection.publish(message.topic, message.to_json(), schema=message.schema)

    def _lost(self, now: float) -> None:
        if self._connection is not None:
            self._connection.abandon()
        if now - self._accepted_at >= STEADY_AFTER_S:
            self._retry_s = FIRST_RETRY_S
        self._connection, self._announced, self._accepted_at = None, False, float("inf")
        self._keys.clear()
        self.queue.rewind()
        self._try_at = now + self._retry_s * self._rng.uniform(0.5, 1.0)
        self._retry_s = min(2.0 * self._retry_s, LONGEST_RETRY_S)


def work(plan: Plan, worker: int, port: int, line: pipes.Connection) -> None:
    """Wait for `go`, run the devices of one worker until the other end of the line says `stop`, then report."""
    raise_file_limit()
    logging.getLogger("edge_runtime").setLevel(logging.ERROR)  # every device would tell that the broker is away
    line.send("ready")
    line.recv()
    with ExitStack() as stack:
        bell, heard = socket.socketpair()  # nobody rings
        stack.enter_context(bell)
        stack.enter_context(heard)
        devices = [Device(number, port, plan, heard) for number in plan.share(worker)]
        while not line.poll(0.0):
            _round(devices, publish=True)
        line.recv()
        give_up_at = time.monotonic() + DRAIN_S
        while any(device.queue.pending() for device in devices) and time.monotonic() < give_up_at:
            _round(devices, publish=False)
        line.send([_report(device) for device in devices])
        line.recv()  # the end is a storm too; it waits until everything is counted
        for device in devices:
            device.end()


def _round(devices: list[Device], *, publish: bool) -> None:
    begun = time.monotonic()
    for device in devices:
        now = time.monotonic()
        if publish:
            device.publish_what_is_due(now)
        device.turn(now)
    time.sleep(max(0.0, begun + ROUND_S - time.monotonic()))


def _report(device: Device) -> dict[str, object]:
    dropped = device.dropped + device.queue.dropped
    return {"device": device.name, "sent": device.sent, "pending": device.queue.pending(), "dropped": dict(dropped)}
