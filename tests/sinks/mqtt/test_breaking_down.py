"""What keeps the publisher from its work is told: a missing library at the start, a mistake of ours in the status."""

from __future__ import annotations

import sys
from typing import NoReturn

import pytest

from edge_runtime.clock import SystemClock
from edge_runtime.errors import EdgeRuntimeError
from edge_runtime.settings import Mqtt
from edge_runtime.sinks.mqtt import MqttSink
from edge_runtime.sinks.mqtt.waiting import MemoryQueue
from tests.broker import wait_until
from tests.sinks.mqtt.scripted_broker import ScriptedBroker


def test_a_missing_library_is_told_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "paho.mqtt.enums", None)
    sink = MqttSink(Mqtt(host="127.0.0.1"), device_id="kiosk-1", clock=SystemClock())

    with pytest.raises(EdgeRuntimeError, match="pip install 'paho-mqtt"), sink:
        pytest.fail("it began")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_publisher_that_breaks_down_is_told() -> None:
    class Broken(MemoryQueue):
        def take(self, limit: int) -> NoReturn:
            raise RuntimeError(limit)

    with ScriptedBroker() as broker:
        settings = Mqtt(host="127.0.0.1", port=broker.port)
        with MqttSink(settings, device_id="kiosk-1", clock=SystemClock(), outbox=Broken(1)) as sink:
            wait_until(lambda: "broke down" in (sink.problem or ""), what="the problem is told")

    assert not sink.connected
