"""A broker that says what a test wants in its CONNACK and PUBACKs, and notes what it was sent."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from typing_extensions import Self

CONNECT: Final = 0x10
PUBLISH: Final = 0x30
DISCONNECT: Final = 0xE0
QUIET_S: Final = 0.1
"""Acknowledges only when nothing has come for so long: a client that sends too much has sent it by then."""

RECEIVE_MAXIMUM_1: Final = b"\x21\x00\x01"
MAXIMUM_QOS_0: Final = b"\x24\x00"
MAXIMUM_QOS_1: Final = b"\x24\x01"
RETAIN_UNAVAILABLE: Final = b"\x25\x00"
RETAIN_AVAILABLE: Final = b"\x25\x01"


@dataclass(frozen=True)
class Published:
    """One PUBLISH of the client."""

    topic: str
    payload: bytes
    qos: int
    message_id: int


def accept_all(_: Published) -> int | None:
    """Acknowledge everything with success."""
    return 0


def accept_none(_: Published) -> int | None:
    """Acknowledge nothing, ever."""
    return None


class ScriptedBroker:
    """Serves one client at a time on a loopback port; speaks MQTT 5."""

    def __init__(self, properties: bytes = b"", answer: Callable[[Published], int | None] = accept_all) -> None:
        """Prepare the answers.

        Args:
            properties: of the CONNACK, encoded.
            answer: gives the reason code of a PUBACK, None for none.
        """
        self.published: list[Published] = []
        """What came at QoS 1."""
        self.kinds: list[int] = []
        """First bytes of all packets, without their flags."""
        self.most_unacknowledged = 0
        """So many messages at QoS 1 were on the way at one time."""
        self._connack = bytes([0x20, 3 + len(properties), 0, 0, len(properties)]) + properties
        self._answer = answer
        self._unanswered: list[Published] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._client: socket.socket | None = None
        self._thread = threading.Thread(target=self._serve, name="scripted-broker")

    def __enter__(self) -> Self:
        """Take connections."""
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        """Take no more."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(20.0)

    def say(self, topic: str, payload: bytes) -> None:
        """Send the client a message at QoS 0."""
        assert self._client is not None
        body = len(topic).to_bytes(2, "big") + topic.encode() + b"\x00" + payload
        self._client.sendall(bytes([PUBLISH, len(body)]) + body)

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                self._client = self._listener.accept()[0]
                self._unanswered.clear()
                with self._client, suppress(ConnectionError):
                    self._talk(self._client)

    def _talk(self, client: socket.socket) -> None:
        client.settimeout(QUIET_S)
        stream = bytearray()
        while True:
            try:
                received = client.recv(65536)
            except TimeoutError:
                self._acknowledge(client)
                continue
            if not received:
                return
            stream += received
            for head, body in _packets(stream):
                self._take(client, head, body)

    def _take(self, client: socket.socket, head: int, body: bytes) -> None:
        self.kinds.append(head & 0xF0)
        if head & 0xF0 == CONNECT:
            client.sendall(self._connack)
        if head & 0xF0 == PUBLISH and head & 0x06:
            message = _published(head, body)
            self.published.append(message)
            self._unanswered.append(message)
            self.most_unacknowledged = max(self.most_unacknowledged, len(self._unanswered))

    def _acknowledge(self, client: socket.socket) -> None:
        answered = [(message, reason) for message in self._unanswered if (reason := self._answer(message)) is not None]
        for message, reason in answered:
            self._unanswered.remove(message)
            client.sendall(bytes([0x40, 3]) + message.message_id.to_bytes(2, "big") + bytes([reason]))


def _packets(stream: bytearray) -> Iterator[tuple[int, bytes]]:
    """Cut whole packets off the stream: first byte and what follows the length."""
    while True:
        length, used = 0, 1
        while True:
            if used >= len(stream):
                return
            length |= (stream[used] & 0x7F) << 7 * (used - 1)
            used += 1
            if not stream[used - 1] & 0x80:
                break
        if len(stream) < used + length:
            return
        head, body = stream[0], bytes(stream[used : used + length])
        del stream[: used + length]
        yield head, body


def _published(head: int, body: bytes) -> Published:
    """Read a PUBLISH at QoS 1; its properties are shorter than 128 bytes."""
    ends_at = 2 + int.from_bytes(body[:2], "big")
    payload_at = ends_at + 3 + body[ends_at + 2]
    message_id = int.from_bytes(body[ends_at : ends_at + 2], "big")
    return Published(body[2:ends_at].decode(), body[payload_at:], (head & 0x06) >> 1, message_id)
