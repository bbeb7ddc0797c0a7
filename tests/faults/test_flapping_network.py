"""The network resets connections at random bytes: every event arrives at least once, first arrivals in order."""

from __future__ import annotations

import random
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from edge_runtime.clock import SystemClock
from edge_runtime.outbox import Outbox
from edge_runtime.settings import Mqtt
from edge_runtime.settings import Outbox as OutboxSettings
from edge_runtime.sinks.mqtt import MqttSink
from tests.broker import Listener, Mosquitto, wait_until
from tests.samples import event_message

FLAPS = 40
EVENTS = 600
RESET_AT_ONCE = struct.pack("ii", 1, 0)  # SO_LINGER: close() sends a reset instead of what is waiting


class Impatient(random.Random):
    """Makes the pauses between two tries short, so that the test takes seconds."""

    def uniform(self, a: float, b: float) -> float:
        """Return hardly anything, whatever was asked for."""
        del a, b
        return 0.001


class FlappingProxy:
    """Passes bytes on to a broker and resets each of the first connections after a random number of them."""

    def __init__(self, port: int, *, flaps: int, rng: random.Random, longest_bytes: int = 20_000) -> None:
        """Listen on a port of its own; a connection is reset after `longest_bytes` at most."""
        self.flaps = 0
        self._broker_port = port
        self._budgets = [rng.randrange(1, longest_bytes) for _ in range(flaps)]
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]

    def run(self) -> None:
        """Serve one connection after the other until `close`."""
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with client:
                self._serve(client)

    def close(self) -> None:
        """Take no further connection."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _serve(self, client: socket.socket) -> None:
        try:
            broker = socket.create_connection(("127.0.0.1", self._broker_port))
        except ConnectionRefusedError:
            return  # the broker is away; so is the client in a moment
        with broker:
            self._pass_on(client, broker)

    def _pass_on(self, client: socket.socket, broker: socket.socket) -> None:
        budget = self._budgets[self.flaps] if self.flaps < len(self._budgets) else None
        back = threading.Thread(target=_copy, args=(broker, client), daemon=True)
        back.start()
        if _copy(client, broker, budget=budget):
            self.flaps += 1
            for end in (client, broker):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_ONCE)
        for end in (client, broker):
            _shut(end)
        back.join(10.0)


def _copy(source: socket.socket, target: socket.socket, *, budget: int | None = None) -> bool:
    """Copy until the end, an error or the budget of bytes; whether the budget was spent."""
    try:
        while budget is None or budget > 0:
            data = source.recv(4096 if budget is None else min(4096, budget))
            if not data:
                return False
            target.sendall(data)
            budget = None if budget is None else budget - len(data)
    except OSError:
        return False
    return True


def _shut(end: socket.socket) -> None:
    try:
        end.shutdown(socket.SHUT_RDWR)
    except OSError:
        return


@contextmanager
def flapping(broker: Mosquitto) -> Iterator[FlappingProxy]:
    proxy = FlappingProxy(broker.port, flaps=FLAPS, rng=random.Random(5))  # noqa: S311
    thread = threading.Thread(target=proxy.run)
    thread.start()
    yield proxy
    proxy.close()
    thread.join(20.0)


def arrivals(listener: Listener, count: int) -> list[int]:
    """Wait until so many different events are there: an acknowledgement comes before the subscriber has the event."""
    arrived: list[int] = []
    while len(set(arrived)) < count:
        arrived.append(msgspec.json.decode(listener.next("/event").payload)["seq"])
    return arrived


@pytest.mark.broker
@pytest.mark.slow
@pytest.mark.parametrize("stored", [False, True], ids=["memory", "outbox"])
def test_a_flapping_network_loses_nothing(broker: Mosquitto, tmp_path: Path, *, stored: bool) -> None:
    settings = OutboxSettings(path=str(tmp_path / "outbox.db"), commit_ms=10, send_per_s=10_000.0)
    outbox = Outbox(settings, clock=SystemClock()) if stored else None

    with flapping(broker) as proxy, Listener(broker.port) as listener:
        address = Mqtt(host="127.0.0.1", port=proxy.port)
        with MqttSink(address, device_id="kiosk-1", clock=SystemClock(), outbox=outbox, rng=Impatient()) as sink:
            for seq in range(1, EVENTS + 1):
                sink.publish(event_message(seq))
            wait_until(lambda: sink.published["event"] >= EVENTS, what="all acknowledgements", timeout_s=120.0)
        arrived = arrivals(listener, EVENTS)

    first_arrivals = list(dict.fromkeys(arrived))
    assert proxy.flaps > FLAPS // 2
    assert first_arrivals == list(range(1, EVENTS + 1))
    assert not sink.dropped
