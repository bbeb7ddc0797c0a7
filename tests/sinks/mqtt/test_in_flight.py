"""The broker says how many messages at QoS 1 it takes before it acknowledges some; and whom a loss is blamed on."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_runtime.clock import SystemClock
from edge_runtime.commands import CommandAnswer, CommandResult, Inbox, ReplyTo
from edge_runtime.settings import Mqtt
from edge_runtime.sinks.mqtt import MqttSink, publisher
from edge_runtime.sinks.mqtt.connection import Connection
from edge_runtime.sinks.mqtt.options import Options
from tests.broker import Listener, Mosquitto, wait_until
from tests.samples import START

pytestmark = pytest.mark.broker
BASE = "emotion_edge/kiosk-1"


@pytest.fixture
def narrow(tmp_path: Path) -> Iterator[Mosquitto]:
    """Run a broker that takes one message at a time."""
    folder = tmp_path / "narrow"
    folder.mkdir()
    mosquitto = Mosquitto(folder, "max_inflight_messages 1")
    mosquitto.start()
    yield mosquitto
    mosquitto.stop()


def sink_for(broker: Mosquitto) -> MqttSink:
    settings = Mqtt(host="127.0.0.1", port=broker.port, commands=("pause",))
    return MqttSink(settings, device_id="kiosk-1", clock=SystemClock(), inbox=Inbox())


def test_messages_at_qos_0_make_no_room_for_messages_at_qos_1(broker: Mosquitto) -> None:
    wake, _other = socket.socketpair()
    with wake, _other:
        options = Options(Mqtt(host="127.0.0.1", port=broker.port), "kiosk-1")
        connection = Connection(options, clock=SystemClock(), wake=wake)
        while not connection.accepted:
            connection.turn(0.1)
        room = connection.room
        for _ in range(50):
            connection.publish("observation", b"{}", schema=None)
            connection.turn(0.01)
        after_streams = connection.room
        sent = connection.publish("event", b"{}", schema=None)
        with_one = connection.room
        while connection.room < room:
            connection.turn(0.1)
        answers = [answer.message_id for answer in connection.acknowledgements()]
        connection.close()

    assert after_streams == room
    assert with_one == room - 1
    assert answers == [sent]


def test_a_broker_that_takes_one_message_at_a_time_gets_results_and_a_quick_end(narrow: Mosquitto) -> None:
    result = CommandResult(device_id="kiosk-1", time=START, command="pause", ok=True, message="paused")

    with Listener(narrow.port) as listener, sink_for(narrow) as sink:
        wait_until(lambda: sink.connected, what="a connection")
        sink.publish(CommandAnswer(result, ReplyTo(topic="asked/here", correlation=b"7")))
        on_its_topic, where_it_was_asked = listener.next("/cmd/pause/result"), listener.next("asked/here")

    assert on_its_topic.payload == where_it_was_asked.payload
    assert where_it_was_asked.correlation == b"7"
    assert "exceeded" not in narrow.log.read_text()


def test_the_loss_of_a_steady_connection_is_blamed_on_nobody_else(
    broker: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publisher, "SHORT_CONNECTIONS", 1)
    monkeypatch.setattr(publisher, "STEADY_AFTER_S", 0.0)

    with sink_for(broker) as sink:
        wait_until(lambda: sink.connected, what="a connection")
        broker.kill()
        wait_until(lambda: sink.problem, what="the loss is told")
        told = sink.problem or ""

    assert "another client" not in told
