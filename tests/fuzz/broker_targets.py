"""What a broker may send: any bytes after its CONNACK, among them what Home Assistant says on its own topic."""

from __future__ import annotations

import contextlib
import socket
from functools import cache
from pathlib import Path
from typing import Final

from edge_runtime.clock import SystemClock
from edge_runtime.commands import Inbox, ReplyTo
from edge_runtime.errors import EdgeRuntimeError
from edge_runtime.settings import Mqtt
from edge_runtime.sinks.mqtt.connection import Connection
from edge_runtime.sinks.mqtt.intake import Intake
from edge_runtime.sinks.mqtt.options import Options
from edge_runtime.sinks.mqtt.packets import Received
from edge_runtime.testing import ManualClock
from tests.fuzz.target import Target

ACCEPTED: Final = bytes.fromhex("2003000000")
"""CONNACK of MQTT 5: no session, success, no properties."""

TURNS: Final = 50
LONGEST_ANSWER: Final = 1024
"""Bytes: what anybody may write must not come back larger."""

_PACKETS = (
    *(bytes([kind, 2, 0, 1]) for kind in (0x40, 0x50, 0x62, 0x70, 0x90, 0xB0)),
    b"\xd0\x00",
    b"\xe0\x00",
    b"\x30\x1d\x00\x14homeassistant/status\x00online",
    b"\x30\xff\xff\xff\x7f",
    b"\xff\xff\xff\xff",
)


@cache
def _listener() -> socket.socket:
    return socket.create_server(("127.0.0.1", 0))


def _broker(data: bytes, folder: Path) -> None:
    """Connect, be sent the bytes, be hung up on; everything on one thread, as the kernel's queues hold it."""
    del folder
    port = _listener().getsockname()[1]
    options = Options(Mqtt(host="127.0.0.1", port=port, discovery_prefix="homeassistant"), "kiosk-1")
    bell, heard = socket.socketpair()
    with bell, heard:
        connection = Connection(options, clock=SystemClock(), wake=heard)
        with contextlib.ExitStack() as stack:
            stack.callback(connection.abandon)
            broker = stack.enter_context(_listener().accept()[0])
            broker.sendall(ACCEPTED + data[:65536])
            broker.shutdown(socket.SHUT_WR)
            _use(connection)


def _use(connection: Connection) -> None:
    for _ in range(TURNS):
        connection.turn(0.05)
        if connection.accepted and connection.room:
            connection.publish("event", b"{}", schema="emotion-edge.event/1")
            connection.watch("homeassistant/status")
            connection.listen("emotion_edge/kiosk-1/cmd/+")
        for answer in connection.acknowledgements():
            assert isinstance(answer.message_id, int)
        assert all(len(payload) <= 64 for payload in connection.noticed())


def _command(data: bytes, folder: Path) -> None:
    """Take one message: name, response topic, correlation and payload, with zero bytes between them."""
    del folder
    name, topic, correlation, payload = (data.split(b"\0", 3) + [b""] * 4)[:4]
    options = Options(Mqtt(host="127.0.0.1", commands=("pause", "selftest")), "kiosk-1")
    inbox, clock = Inbox(), ManualClock()
    intake = Intake(options, inbox, clock)
    heard = Received(
        f"emotion_edge/kiosk-1/cmd/{name.decode('utf-8', 'replace')}",
        payload,
        retained=False,
        reply_to=ReplyTo(topic.decode("utf-8", "replace") or None, correlation or None),
    )
    answer, command = intake.take(heard), inbox.take()
    assert answer is None or (command is None and len(answer.to_json()) < LONGEST_ANSWER)
    assert command is None or command.name in {"pause", "selftest"}


BROKER_TARGETS = (
    Target("broker", _broker, EdgeRuntimeError, "127.0.0.1:", _PACKETS),
    Target(
        "command", _command, EdgeRuntimeError, "kiosk-1", (b"\0", b"pause", b"reload", b'{"id":', b"+", b"#", b"$SYS")
    ),
)
