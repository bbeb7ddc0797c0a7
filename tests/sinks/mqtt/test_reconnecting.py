"""A fleet that lost its broker does not come back at one moment."""

from __future__ import annotations

import random
import socket
import time
from contextlib import ExitStack

from edge_runtime.clock import SystemClock
from edge_runtime.settings import Mqtt
from edge_runtime.sinks.mqtt import MqttSink
from edge_runtime.sinks.mqtt.publisher import FIRST_RETRY_S

DEVICES = 20
PATIENCE_S = 60.0


def accepted(listener: socket.socket, count: int, stack: ExitStack) -> list[tuple[float, socket.socket]]:
    """Take so many connections; when each came."""
    taken = []
    for _ in range(count):
        connection, _ = listener.accept()
        taken.append((time.monotonic(), stack.enter_context(connection)))
    return taken


def test_devices_that_lost_the_same_broker_come_back_spread_over_the_pause() -> None:
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=4 * DEVICES))
        listener.settimeout(PATIENCE_S)
        settings = Mqtt(host="127.0.0.1", port=listener.getsockname()[1])
        sinks = [
            MqttSink(settings, device_id=f"device-{seed}", clock=SystemClock(), rng=random.Random(seed))  # noqa: S311
            for seed in range(DEVICES)
        ]
        for sink in sinks:
            stack.enter_context(sink)
        first = accepted(listener, DEVICES, stack)

        lost_at = time.monotonic()
        for _, connection in first:
            connection.close()
        back_after_s = [at - lost_at for at, _ in accepted(listener, DEVICES, stack)]
        listener.close()

    # A busy machine makes the pauses longer, never shorter, and never all the same.
    assert min(back_after_s) > 0.4 * FIRST_RETRY_S
    assert max(back_after_s) - min(back_after_s) > 0.2 * FIRST_RETRY_S
