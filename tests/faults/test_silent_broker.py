"""Something listens on the broker's port and never answers: it is told once, and asked less and less often."""

from __future__ import annotations

import logging
import random
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from edge_runtime.clock import SystemClock
from edge_runtime.settings import Mqtt
from edge_runtime.sinks.mqtt import MqttSink
from tests.broker import wait_until

SPEED = 100.0
TRIES = 4


class HurriedClock(SystemClock):
    """Time that passes a hundred times as fast, for time-outs of ten seconds."""

    def monotonic(self) -> float:
        return SPEED * super().monotonic()


class ShortPauses(random.Random):
    """Shortens the pauses between two tries as much."""

    def uniform(self, a: float, b: float) -> float:
        del a, b
        return 1.0 / SPEED


@contextmanager
def silent_listener() -> Iterator[tuple[int, list[socket.socket]]]:
    """Take connections and say nothing; yields the port and every connection so far."""
    taken: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def take() -> None:
            with suppress(OSError):
                while True:
                    taken.append(listener.accept()[0])

        thread = threading.Thread(target=take)
        thread.start()
        try:
            yield listener.getsockname()[1], taken
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(20.0)
            for connection in taken:
                connection.close()


def test_a_broker_that_never_answers_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)

    with silent_listener() as (port, taken):
        settings = Mqtt(host="127.0.0.1", port=port)
        with MqttSink(settings, device_id="kiosk-1", clock=HurriedClock(), rng=ShortPauses()) as sink:
            wait_until(lambda: len(taken) > TRIES, what="further tries", timeout_s=60.0)
            problem = sink.problem

    told = [record.getMessage() for record in caplog.records if "no answer to CONNECT" in record.getMessage()]
    assert len(told) == 1
    assert problem is not None
    assert "no answer to CONNECT for 10 s" in problem
