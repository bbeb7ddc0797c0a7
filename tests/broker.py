"""A mosquitto of the test's own on a free loopback port, and a client that listens to it."""

from __future__ import annotations

import os
import queue
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from paho.mqtt.client import Client, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

if TYPE_CHECKING:
    from typing_extensions import Self

PATIENCE_S = 20.0
"""Longest wait for anything; the machine may be busy."""


def free_port() -> int:
    """Return a loopback port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until(condition: Callable[[], object], *, what: str, timeout_s: float = PATIENCE_S) -> None:
    """Poll until something is true, or fail and say what was not."""
    give_up_at = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > give_up_at:
            pytest.fail(f"not within {timeout_s:.0f} s: {what}")
        time.sleep(0.01)


class Mosquitto:
    """One broker process; it can be killed, frozen and started again on the same port."""

    def __init__(self, folder: Path, *settings: str, host: str = "127.0.0.1") -> None:
        """Write its configuration; `settings` are further lines of it."""
        self.port = free_port()
        self.log = folder / "mosquitto.log"
        self._config = folder / "mosquitto.conf"
        self._process: subprocess.Popen[bytes] | None = None
        # As root mosquitto would become a user that cannot read the test's folder.
        user = ["user root"] if os.geteuid() == 0 else []
        anonymous = [] if any(line.startswith("allow_anonymous") for line in settings) else ["allow_anonymous true"]
        lines = [*user, f"listener {self.port} {host}", *anonymous, *settings, "log_type all"]
        self._config.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def start(self) -> None:
        """Start it and wait until it takes connections."""
        program = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
        with self.log.open("ab") as log:
            self._process = subprocess.Popen([program, "-c", str(self._config)], stdout=log, stderr=log)
        wait_until(self._listens, what=f"mosquitto on port {self.port}, see {self.log}")

    def stop(self) -> None:
        """End it in good order."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it as a power cut does."""
        self._end(signal.SIGKILL)

    def freeze(self) -> None:
        """Let it stand still with its connections open."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)

    def _end(self, number: signal.Signals) -> None:
        if self._process is None:
            return
        self._signal(signal.SIGCONT)
        self._signal(number)
        self._process.wait(timeout=PATIENCE_S)
        self._process = None


@dataclass(frozen=True)
class Received:
    """One message as a subscriber got it."""

    topic: str
    payload: bytes
    qos: int
    retain: bool
    content_type: str | None
    user_properties: dict[str, str]
    expires: bool
    correlation: bytes | None = None


class Listener:
    """Subscribes to everything below a topic and keeps what arrives."""

    def __init__(self, port: int, topic: str = "#", *, username: str = "", password: str = "") -> None:
        """Prepare a subscription at QoS 1."""
        self.messages: queue.Queue[Received] = queue.Queue()
        self._port = port
        self._topic = topic
        self._client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTv5)
        self._client.username_pw_set(username or None, password or None)
        self._client.on_message = self._note
        self._subscribed = False

    def __enter__(self) -> Self:
        """Connect and wait for the subscription."""
        self._client.on_connect = lambda client, *_: client.subscribe(self._topic, qos=1)
        self._client.on_subscribe = self._note_subscription
        self._client.connect("127.0.0.1", self._port)
        self._client.loop_start()
        wait_until(lambda: self._subscribed, what="a subscription")
        return self

    def __exit__(self, *exc: object) -> None:
        """Disconnect."""
        self._client.disconnect()
        self._client.loop_stop()

    def say(
        self,
        topic: str,
        payload: bytes = b"",
        *,
        retain: bool = False,
        response_topic: str | None = None,
        correlation: bytes | None = None,
    ) -> None:
        """Publish at QoS 1 and wait until the broker has it."""
        properties: Any = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        if response_topic is not None:
            properties.ResponseTopic = response_topic
        if correlation is not None:
            properties.CorrelationData = correlation
        self._client.publish(topic, payload, 1, retain, properties).wait_for_publish(PATIENCE_S)

    def next(self, last_level: str = "") -> Received:
        """Wait for the next message, of one topic if it is given."""
        while True:
            message = self._get()
            if message.topic.endswith(last_level):
                return message

    def take(self, count: int, last_level: str = "") -> list[Received]:
        """Wait for so many messages."""
        return [self.next(last_level) for _ in range(count)]

    def drain(self) -> list[Received]:
        """Return what has arrived, without waiting."""
        return [self.messages.get() for _ in range(self.messages.qsize())]

    def _get(self) -> Received:
        try:
            return self.messages.get(timeout=PATIENCE_S)
        except queue.Empty:
            pytest.fail(f"no further message within {PATIENCE_S:.0f} s")

    def _note(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        properties: Any = message.properties or Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        self.messages.put(
            Received(
                message.topic,
                bytes(message.payload),
                message.qos,
                message.retain,
                getattr(properties, "ContentType", None),
                dict(getattr(properties, "UserProperty", [])),
                hasattr(properties, "MessageExpiryInterval"),
                getattr(properties, "CorrelationData", None),
            )
        )

    def _note_subscription(self, *_: object) -> None:
        self._subscribed = True


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    """Run a mosquitto that takes anybody; use it with @pytest.mark.broker."""
    folder = tmp_path / "broker"
    folder.mkdir()
    mosquitto = Mosquitto(folder)
    mosquitto.start()
    yield mosquitto
    mosquitto.stop()
