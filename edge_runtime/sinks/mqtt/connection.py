"""One connection to the broker, from CONNECT to DISCONNECT: what the sink needs of paho-mqtt is here and in packets.py.

One thread owns a connection. paho runs no thread of its own here: `turn` does its reading and writing, so nothing in it
blocks once the connection stands, not even a broker that is frozen.
"""

from __future__ import annotations

import select
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from edge_runtime.interfaces import Clock
from edge_runtime.sinks.mqtt import packets
from edge_runtime.sinks.mqtt.failures import CONNECT_TIMEOUT_S, ConnectionLostError, why, why_not
from edge_runtime.sinks.mqtt.options import Options
from edge_runtime.sinks.mqtt.topics import AVAILABILITY, OFFLINE, RESULT, ROUTES, Route, route

if TYPE_CHECKING:
    from paho.mqtt.client import Client, MQTTMessage
    from paho.mqtt.properties import Properties

CONNACK_TIMEOUT_S: Final = 10.0
"""A broker that accepts the connection but does not answer for so long is frozen."""

MAX_IN_FLIGHT: Final = 20
"""Messages at QoS 1 that may be unacknowledged at a time; mosquitto's own default limit."""

NO_LIMIT: Final = 2**28 - 1
"""The protocol's own limit of a packet, bytes."""

HEADER_BYTES: Final = 1024
"""More than topic and properties of our messages take."""

NOTICED_MESSAGES: Final = 8
NOTICED_BYTES: Final = 64
KEPT_BYTES: Final = 4097
"""What is kept of watched topics and of commands: anybody may write there."""

REFUSED_FOR_NOW: Final = frozenset({0x80, 0x83, 0x87, 0x91, 0x97})
"""Unspecified, implementation specific, not authorized, packet identifier in use, quota exceeded: no event's fault."""


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """The broker's answer to one message at QoS 1."""

    message_id: int
    refused: str | None = None
    """Why the broker did not take it (MQTT 5); None when it did."""
    again: bool = False
    """Whether a refused message may be taken later."""


class Connection:
    """CONNECT is sent when this is made; `turn` it until `accepted`, then publish."""

    def __init__(self, options: Options, *, clock: Clock, wake: socket.socket) -> None:
        """Connect, waiting CONNECT_TIMEOUT_S twice at most; `wake` interrupts `turn` when it can be read.

        Raises:
            ConnectionLostError: not reachable, or its certificate is not trusted.
            SinkError: the password or a certificate cannot be read.
        """
        self.accepted = False
        """Whether the broker's CONNACK said yes."""
        self.max_payload_bytes = NO_LIMIT
        """Larger payloads make the broker hang up."""
        self._in_flight: set[int] = set()
        self._in_flight_limit = MAX_IN_FLIGHT
        self._options = options
        self._clock = clock
        self._wake = wake
        self._failure: str | None = None
        self._acknowledged: list[Acknowledgement] = []
        self._noticed: list[bytes] = []
        self._commands: list[packets.Received] = []
        self._command_topic: str | None = None
        self._subscription: int | None = None
        self._session_was_kept = False
        self.deaf: str | None = None
        """Why the broker sends us no commands; None when it does or was not asked."""
        self._overheard = 0
        self._properties: dict[str, Properties | None] = {}
        self._begun_at = clock.monotonic()
        self._client = self._make_client()
        try:
            self._connect()
        except (OSError, ValueError) as error:  # ValueError: a host name that no resolver takes
            self.abandon()
            raise ConnectionLostError(f"{options.broker}: {why(error)}") from error

    def publish(self, last_level: str, payload: bytes, *, schema: str | None) -> int:
        """Send by the rules of its topic, QoS 1 only while there is `room`; return the acknowledgement's message id."""
        if last_level not in self._properties:
            self._properties[last_level] = packets.of_publish(self._options, last_level, schema) if self._is_5 else None
        return self._send(self._options.topic(last_level), payload, route(last_level), self._properties[last_level])

    def answer(self, topic: str, payload: bytes, *, schema: str, correlation: bytes | None) -> int:
        """Send the result of a command."""
        properties = packets.of_publish(self._options, RESULT, schema) if self._is_5 else None
        if properties is not None and correlation is not None:
            properties.CorrelationData = correlation
        return self._send(topic, payload, ROUTES[RESULT], properties)

    def publish_elsewhere(self, topic: str, payload: bytes) -> int:
        """Send a retained message to a topic that is not one of ours."""
        return self._send(topic, payload, ROUTES[AVAILABILITY], None)

    def watch(self, topic: str) -> None:
        """Ask for the messages of a topic that is not one of ours."""
        self._client.subscribe(topic, qos=0)

    def listen(self, topic: str) -> None:
        """Ask for commands: each message once more rather than never, and none that was retained."""
        self._command_topic = topic
        self._subscription = self._client.subscribe(
            topic, **({"options": packets.new_messages_only()} if self._is_5 else {"qos": 1})
        )[1]

    def stop_listening(self, topic: str) -> None:
        """Make a session that the broker kept forget a subscription of an earlier configuration."""
        if self._session_was_kept:
            self._client.unsubscribe(topic)

    def commands(self) -> list[packets.Received]:
        """Return what came for us since the last call, the oldest first, as few as are kept."""
        commands, self._commands = self._commands, []
        return commands

    def take_overheard(self) -> int:
        """Return how many commands came faster than they were read, since the last call; they were thrown away."""
        overheard, self._overheard = self._overheard, 0
        return overheard

    def noticed(self) -> list[bytes]:
        """Return the payloads of watched topics since the last call."""
        noticed, self._noticed = self._noticed, []
        return noticed

    @property
    def room(self) -> int:
        """How many more messages at QoS 1 the broker takes before it acknowledges some."""
        return self._in_flight_limit - len(self._in_flight)

    def is_congested(self) -> bool:
        """Whether what was sent before has not even reached the kernel: streams must wait."""
        return self._client.want_write()

    def acknowledgements(self) -> Iterator[Acknowledgement]:
        """Return the broker's answers since the last call."""
        answers, self._acknowledged = self._acknowledged, []
        return iter(answers)

    def turn(self, timeout_s: float) -> None:
        """Read, write and keep alive once; wait at most `timeout_s`, shorter when `wake` can be read.

        Raises:
            ConnectionLostError: the connection is gone or was refused.
        """
        readable, writable = self._wait(timeout_s)
        if readable:
            self._read()
        if writable and self._client.want_write():
            self._client.loop_write()
        self._client.loop_misc()
        if not self.accepted and self._clock.monotonic() - self._begun_at > CONNACK_TIMEOUT_S:
            self._failure = self._failure or f"no answer to CONNECT for {CONNACK_TIMEOUT_S:.0f} s"
        if self._failure is None and self._client.socket() is None:
            self._failure = "connection lost"
        if self._failure is not None:
            raise ConnectionLostError(f"{self._options.broker}: {self._failure}")

    def close(self) -> None:
        """Say goodbye: after a DISCONNECT the broker does not send the will."""
        self._client.disconnect()
        if self._client.want_write():
            self._client.loop_write()
        self.abandon()

    def abandon(self) -> None:
        """Close the socket without a word."""
        self._client.on_connect = self._client.on_disconnect = self._client.on_publish = None
        self._client.on_message = self._client.on_subscribe = None
        found = self._client.socket()
        if found is not None:
            found.close()

    def _send(self, topic: str, payload: bytes, way: Route, properties: Properties | None) -> int:
        message_id = self._client.publish(topic, payload, way.qos, way.retain, properties).mid
        if way.qos:
            self._in_flight.add(message_id)
        return message_id

    def _read(self) -> None:
        try:
            self._client.loop_read()
        except Exception as error:  # noqa: BLE001  paho raises whatever a malformed packet makes its parser raise
            self._failure = f"the broker sent what is not MQTT ({type(error).__name__}: {error})"

    def _wait(self, timeout_s: float) -> tuple[bool, bool]:
        """Wait for the broker or for `wake`; whether the broker's socket can be read, and written."""
        ours = self._client.socket()
        if ours is None:
            return False, False
        if isinstance(ours, ssl.SSLSocket) and ours.pending():
            return True, True  # decrypted bytes wait inside OpenSSL, where poll cannot see them
        poll = select.poll()
        poll.register(ours.fileno(), select.POLLIN | (select.POLLOUT if self._client.want_write() else 0))
        poll.register(self._wake.fileno(), select.POLLIN)
        ready = dict(poll.poll(timeout_s * 1000.0))
        if self._wake.fileno() in ready:
            self._wake.recv(4096)
        events = ready.get(ours.fileno(), 0)
        return bool(events & ~select.POLLOUT), bool(events & select.POLLOUT)

    def _make_client(self) -> Client:
        from paho.mqtt.client import Client, MQTTv5, MQTTv311
        from paho.mqtt.enums import CallbackAPIVersion

        settings = self._options.settings
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=self._options.client_id,
            clean_session=None if self._is_5 else False,
            protocol=MQTTv5 if self._is_5 else MQTTv311,
            reconnect_on_failure=False,
        )
        client.connect_timeout = CONNECT_TIMEOUT_S
        client.max_inflight_messages_set(0)  # `room` counts: paho's own limit cannot follow the broker's
        client.on_connect, client.on_disconnect = self._on_connect, self._on_disconnect
        client.on_publish, client.on_message = self._on_publish, self._on_message
        client.on_subscribe = self._on_subscribe
        if settings.username:
            client.username_pw_set(settings.username, self._options.password())
        context = self._options.tls_context()
        if context is not None:
            client.tls_set_context(context)
        will = ROUTES[AVAILABILITY]
        client.will_set(
            self._options.topic(AVAILABILITY),
            OFFLINE,
            will.qos,
            will.retain,
            properties=packets.of_will(self._options) if self._is_5 else None,
        )
        return client

    def _connect(self) -> None:
        settings = self._options.settings
        where: dict[str, Any] = {"host": settings.host, "port": self._options.port, "keepalive": settings.keep_alive_s}
        if self._is_5:
            where |= {"clean_start": False, "properties": packets.of_connect(self._options)}
        self._client.connect(**where)

    @property
    def _is_5(self) -> bool:
        return self._options.settings.version == "5"

    # paho calls these from `turn`, on the thread that owns the connection. They only take notes.

    def _on_connect(self, _client: Client, _data: object, flags: Any, reason: Any, properties: Any) -> None:  # noqa: ANN401
        self._failure = why_not(reason, properties)
        if self._failure is not None:
            return
        self._in_flight_limit = min(MAX_IN_FLIGHT, getattr(properties, "ReceiveMaximum", MAX_IN_FLIGHT))
        self.max_payload_bytes = getattr(properties, "MaximumPacketSize", NO_LIMIT) - HEADER_BYTES
        self._session_was_kept = bool(flags.session_present)
        self.accepted = True

    def _on_disconnect(self, _client: Client, _data: object, flags: Any, reason: Any, _properties: object) -> None:  # noqa: ANN401
        told = f"disconnected by the broker: {reason}" if flags.is_disconnect_packet_from_server else "connection lost"
        self._failure = self._failure or told

    def _on_publish(self, _client: Client, _data: object, mid: int, reason: Any, _properties: object) -> None:  # noqa: ANN401
        if mid not in self._in_flight:
            return  # at QoS 0 paho says so when it has written the message
        self._in_flight.remove(mid)
        refused = str(reason) if reason.is_failure else None
        self._acknowledged.append(Acknowledgement(mid, refused, again=reason.value in REFUSED_FOR_NOW))

    def _on_subscribe(self, _client: Client, _data: object, mid: int, reasons: Any, _properties: object) -> None:  # noqa: ANN401
        if mid == self._subscription and any(reason.is_failure for reason in reasons):
            self.deaf = str(reasons[0])

    def _on_message(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        if self._command_topic is None or "/cmd/" not in message.topic:
            self._noticed = [*self._noticed[-NOTICED_MESSAGES:], bytes(message.payload[:NOTICED_BYTES])]
        elif len(self._commands) < NOTICED_MESSAGES:
            self._commands.append(packets.received(message, max_bytes=KEPT_BYTES))
        else:
            self._overheard += 1
