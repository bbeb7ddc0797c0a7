"""The thread that owns the connection: connects, announces, sends what waits, starts over when the broker is gone."""

from __future__ import annotations

import contextlib
import logging
import random
import socket
import threading
from collections import Counter, deque
from collections.abc import Iterable
from typing import Final

from edge_runtime.commands import CommandAnswer
from edge_runtime.errors import SinkError
from edge_runtime.interfaces import Clock, Message
from edge_runtime.sinks.mqtt.announcement import Announcement
from edge_runtime.sinks.mqtt.connection import Acknowledgement, Connection
from edge_runtime.sinks.mqtt.desk import CommandDesk
from edge_runtime.sinks.mqtt.discovery import BIRTH, birth_topic
from edge_runtime.sinks.mqtt.failures import ConnectionLostError
from edge_runtime.sinks.mqtt.options import Options
from edge_runtime.sinks.mqtt.topics import AVAILABILITY, OFFLINE, route
from edge_runtime.sinks.mqtt.waiting import EventQueue

logger = logging.getLogger(__name__)

FIRST_RETRY_S: Final = 1.0
LONGEST_RETRY_S: Final = 60.0
STEADY_AFTER_S: Final = 10.0
"""A connection that held for so long makes the pauses between tries short again."""

SHORT_CONNECTIONS: Final = 3
"""So many connections in a row that did not hold look like two clients that take each other's session."""

REFUSED_PAUSE_S: Final = 30.0
"""Pause after the broker refused an event that it may take later."""

LIVE_MESSAGES: Final = 8
"""Messages of streams that wait for the publisher; the oldest are dropped."""

IDLE_TURN_S: Final = 1.0
BUSY_TURN_S: Final = 0.1
GOODBYE_S: Final = 0.5
"""Time at the end to have room for `offline` and for the broker to acknowledge it."""


class Publisher:
    """Sends from its own thread; `offer` and `stop` belong to the frame loop's thread."""

    def __init__(
        self, options: Options, queue: EventQueue, *, clock: Clock, rng: random.Random, desk: CommandDesk
    ) -> None:
        """Prepare the thread.

        Args:
            options: the broker.
            queue: where events wait.
            clock: for pauses and time-outs.
            rng: spreads the retries of many devices that lost the same broker.
            desk: takes commands in and sends their results.
        """
        self.problem: str | None = f"mqtt: {options.broker}: not connected yet"
        self.dropped: Counter[str] = Counter()
        """Messages of streams that were not sent, and events that the broker will never take, by reason."""
        self.published: Counter[str] = Counter()
        """Messages that were sent, events that were acknowledged, by topic."""
        self.connected = threading.Event()
        self._options, self._queue, self._clock, self._rng = options, queue, clock, rng
        self._desk = desk
        self._announcement = Announcement(options)
        self._told: str | None = None
        self._lock = threading.Lock()
        self._live: deque[Message] = deque()
        self._retained: dict[str, Message] = {}
        self._changed: set[str] = set()
        self._keys: dict[int, int] = {}
        self._short_connections = 0
        self._steady_at = float("inf")
        self._refusal_is_told = False
        self._held_until = float("-inf")
        self._held_back = False
        self._stop_at = float("inf")
        self._stopping = threading.Event()
        self._bell: socket.socket | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to connect."""
        self._bell, heard = socket.socketpair()
        self._bell.setblocking(False)  # noqa: FBT003  no keyword in the standard library
        # A daemon: a resolver that hangs must not keep the process from ending.
        self._thread = threading.Thread(target=self._run, args=(heard,), name="mqtt-publisher", daemon=True)
        self._queue.wake_with(self.wake)
        self._thread.start()

    def offer(self, message: Message) -> None:
        """Take a message that is no event: the last one of a retained topic counts, a stream only while connected."""
        with self._lock:
            if isinstance(message, CommandAnswer):
                self._desk.put(message)
            elif route(message.topic).retain:
                self._retained[message.topic] = message
                self._changed.add(message.topic)
            elif not self.connected.is_set():
                self.dropped["not_connected"] += 1
            else:
                self._live.append(message)
                if len(self._live) > LIVE_MESSAGES:
                    self._live.popleft()
                    self.dropped["slow_broker"] += 1
        self.wake()

    def wake(self) -> None:
        """Interrupt the thread's wait; a full pipe means that it is being woken already."""
        if self._bell is not None:
            with contextlib.suppress(OSError):
                self._bell.send(b"w")

    def stop(self, timeout_s: float) -> None:
        """Send what waits, say `offline`, disconnect; within `timeout_s`."""
        if self._thread is None or self._bell is None:
            return
        self._stop_at = self._clock.monotonic() + timeout_s - GOODBYE_S
        self._stopping.set()
        self.wake()
        self._thread.join(timeout_s)
        if self._thread.is_alive():
            logger.warning("%s: the publisher did not end within %.0f s", self._options.broker, timeout_s)
        self._bell.close()

    def _run(self, heard: socket.socket) -> None:
        try:
            with heard:
                self._connect_again_and_again(heard)
        finally:
            if not self._stopping.is_set():  # a mistake of ours, whose traceback is in the log
                self.problem = f"mqtt: {self._options.broker}: the publisher broke down; restart the program"

    def _connect_again_and_again(self, heard: socket.socket) -> None:
        retry_s = FIRST_RETRY_S
        while not self._stopping.is_set():
            self._steady_at = float("inf")  # a broker that takes 10 s to say nothing is not steady
            try:
                self._serve(Connection(self._options, clock=self._clock, wake=heard))
            except (ConnectionLostError, SinkError) as error:
                if self._clock.monotonic() >= self._steady_at:
                    self._told = None
                    retry_s = FIRST_RETRY_S
                    self._short_connections = 0
                self._lost(error)
            self._stopping.wait(retry_s * self._rng.uniform(0.5, 1.0))
            retry_s = min(2.0 * retry_s, LONGEST_RETRY_S)

    def _serve(self, connection: Connection) -> None:
        """Use one connection until it is lost (ConnectionLostError) or the end has come."""
        try:
            while not self._is_over():
                connection.turn(self._patience_s())
                self._settle(connection.acknowledgements())
                if connection.accepted:
                    self._announce_once(connection)
                    self._send(connection)
            if connection.accepted:
                self._say_goodbye(connection)
        finally:
            connection.abandon()
            self.connected.clear()

    def _is_over(self) -> bool:
        if not self._stopping.is_set():
            return False
        is_idle = self._announcement.is_said and self._desk.is_empty
        nothing_waits = is_idle and not (self._changed or self._live or self._queue.pending())
        return (nothing_waits and self.connected.is_set()) or self._clock.monotonic() >= self._stop_at

    def _patience_s(self) -> float:
        if self._stopping.is_set() or self._queue.pending() > len(self._keys):
            return BUSY_TURN_S
        return IDLE_TURN_S

    def _announce_once(self, connection: Connection) -> None:
        """Tell a broker that may have forgotten everything: we are here, and what is."""
        if self.connected.is_set():
            return
        self._announce()
        self._announcement.turn(connection)
        if self._options.settings.discovery_prefix:
            connection.watch(birth_topic(self._options))
        self._desk.open(connection)
        self._keys.clear()
        self._send_again()
        self._short_connections += 1
        self._steady_at = self._clock.monotonic() + STEADY_AFTER_S
        self._refusal_is_told = False
        self.problem = None
        self.connected.set()
        logger.info("%s: connected as %s", self._options.broker, self._options.client_id)

    def _announce(self) -> None:
        self._announcement.begin()
        with self._lock:
            self._changed.update(self._retained)

    def _send(self, connection: Connection) -> None:
        if BIRTH in connection.noticed():
            self._announce()  # Home Assistant has started and forgotten everything that is not retained
        self._announcement.turn(connection)
        self._desk.turn(connection)
        for message in self._others(connection):
            connection.publish(message.topic, message.to_json(), schema=message.schema)
            self.published[message.topic] += 1
        if self._clock.monotonic() < self._held_until:
            return
        for key, message in self._queue.take(max(0, connection.room)):
            self._send_event(connection, key, message)

    def _send_event(self, connection: Connection, key: int, message: Message) -> None:
        payload = message.to_json()
        if not route(message.topic).qos or not message.schema.isprintable():  # a bit that flipped on the disk
            self._give_up(key, "damaged", "an event was damaged while it waited")
        elif len(payload) > connection.max_payload_bytes:
            self._give_up(key, "too_large", f"an event of {len(payload)} bytes is larger than the broker takes")
        else:
            self._keys[connection.publish(message.topic, payload, schema=message.schema)] = key

    def _others(self, connection: Connection) -> list[Message]:
        """Take what changed on retained topics, as the broker has room, and streams unless it is slow."""
        with self._lock:
            topics = sorted(self._changed)[: max(0, connection.room)]
            self._changed.difference_update(topics)
            live = [] if connection.is_congested() else list(self._live)
            if live:
                self._live.clear()
            return [self._retained[topic] for topic in topics] + live

    def _settle(self, answers: Iterable[Acknowledgement]) -> None:
        for answer in answers:
            key = self._keys.pop(answer.message_id, None)
            if key is None:
                self._tell_refusal(answer)
            elif answer.refused is None:
                self.published["event"] += 1
                self.problem = self.problem if self._held_back else None
                self._queue.acknowledge(key)
            else:
                self._refused(key, answer)
        if self._held_back and not self._keys and self._held_until <= self._clock.monotonic():
            self._send_again()

    def _send_again(self) -> None:
        """Take from the queue once more what no broker has acknowledged."""
        self._held_back = False
        self._queue.rewind()

    def _refused(self, key: int, answer: Acknowledgement) -> None:
        if not answer.again:
            self._give_up(key, "refused", f"the broker will never take an event ({answer.refused})")
            return
        self._tell_refusal(answer)
        self.problem = f"mqtt: {self._options.broker}: refused an event ({answer.refused})"
        self._held_back, self._held_until = True, self._clock.monotonic() + REFUSED_PAUSE_S

    def _tell_refusal(self, answer: Acknowledgement) -> None:
        """Say once a connection that the broker does not let us write."""
        if answer.refused is None or self._refusal_is_told:
            return
        self._refusal_is_told = True
        who = self._options.settings.username or "an anonymous client"
        told = "%s: refused a message (%s); may %s write below %s? events are kept and tried again every %.0f s"
        logger.warning(told, self._options.broker, answer.refused, who, self._options.topic("#"), REFUSED_PAUSE_S)

    def _give_up(self, key: int, reason: str, what: str) -> None:
        self.dropped[reason] += 1
        self._queue.acknowledge(key)
        logger.error("%s: %s, dropped", self._options.broker, what)

    def _say_goodbye(self, connection: Connection) -> None:
        """Say `offline` as soon as there is room; without room the will says it, as there is no DISCONNECT then."""
        give_up_at = self._clock.monotonic() + GOODBYE_S
        offline: int | None = None
        acknowledged = False
        while not acknowledged and self._clock.monotonic() < give_up_at:
            if offline is None and connection.room > 0:
                offline = connection.publish(AVAILABILITY, OFFLINE, schema=None)
            connection.turn(BUSY_TURN_S)
            answers = list(connection.acknowledgements())
            self._settle(answers)
            acknowledged = any(answer.message_id == offline for answer in answers)
        if offline is not None:
            connection.close()

    def _lost(self, error: Exception) -> None:
        told = f"mqtt: {error}"
        if self._short_connections >= SHORT_CONNECTIONS:
            told += f"; does another client call itself {self._options.client_id}? give every device its own device.id"
        # The same trouble is told once; a broker that is away for hours must not fill the log.
        logger.log(logging.DEBUG if told == self._told else logging.WARNING, "%s; trying again", told)
        self.problem = self._told = told
