"""What a fleet's consumer is: a subscriber with a session that outlives the broker, counting every event."""

from __future__ import annotations

import re
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

from paho.mqtt.client import Client, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from edge_runtime.sinks.mqtt.topics import ONLINE

if TYPE_CHECKING:
    from typing_extensions import Self

_SEQ = re.compile(rb'"seq":(\d+)')
_SESSION_S = 3600


class Collector:
    """Subscribes to all events, and to what the broker says about itself."""

    def __init__(self, port: int) -> None:
        """Prepare; `with` connects."""
        self.seen: Counter[tuple[str, int]] = Counter()
        """Device and `seq` of every event, with how often it came."""
        self.broker: dict[str, str] = {}
        """Last level of a $SYS topic: its last value."""
        self.subscribed = threading.Event()
        self.last_at = 0.0
        """When the last event came, monotonic."""
        self.online: dict[str, list[float]] = {}
        """When each device said `online`: it does on every connection. Monotonic."""
        self._port = port
        self._client = Client(CallbackAPIVersion.VERSION2, client_id="collector", protocol=MQTTv5)
        self._client.on_message = self._note
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = lambda *_: self.subscribed.set()
        self._client.reconnect_delay_set(1, 2)

    def __enter__(self) -> Self:
        """Connect, keep the session, wait for the subscription."""
        kept = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        kept.SessionExpiryInterval = _SESSION_S
        self._client.connect("127.0.0.1", self._port, clean_start=False, properties=kept)
        self._client.loop_start()
        if not self.subscribed.wait(30.0):
            raise TimeoutError("the collector could not subscribe within 30 s")
        return self

    def __exit__(self, *exc: object) -> None:
        """Disconnect."""
        self._client.disconnect()
        self._client.loop_stop()

    def came_online(self, since: float) -> list[float]:
        """When each device was online for the first time since a moment; without those that were not."""
        firsts = [next((at for at in list(times) if at >= since), None) for times in list(self.online.values())]
        return [at for at in firsts if at is not None]

    def _on_connect(self, client: Client, *_: Any) -> None:  # noqa: ANN401  paho's own types
        client.subscribe([("emotion_edge/+/event", 1), ("emotion_edge/+/availability", 1), ("$SYS/broker/#", 0)])

    def _note(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        topic = message.topic
        if topic.startswith("$SYS/broker/"):
            self.broker[topic.removeprefix("$SYS/broker/")] = message.payload.decode()
            return
        if topic.endswith("/availability"):
            if message.payload == ONLINE and not message.retain:
                self.online.setdefault(topic.split("/")[1], []).append(time.monotonic())
            return
        found = _SEQ.search(message.payload)
        if found:
            self.seen[(topic.split("/")[1], int(found[1]))] += 1
            self.last_at = time.monotonic()
