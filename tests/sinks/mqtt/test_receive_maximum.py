"""Receive Maximum 1: never two messages at QoS 1 on the way, whatever they say (MQTT 5, MQTT-3.3.4-7)."""

from __future__ import annotations

import pytest

from edge_runtime.clock import SystemClock
from edge_runtime.payloads import OutMessage
from edge_runtime.settings import Mqtt
from edge_runtime.sinks.mqtt import MqttSink, publisher
from edge_runtime.sinks.mqtt import sink as sink_file
from tests.broker import wait_until
from tests.samples import event_message, state
from tests.sinks.mqtt.scripted_broker import DISCONNECT, RECEIVE_MAXIMUM_1, ScriptedBroker, accept_none

BASE = "emotion_edge/kiosk-1"
AVAILABILITY = f"{BASE}/availability"
DESCRIPTION = "homeassistant/device/emotion_edge_kiosk-1/config"


def sink_for(broker: ScriptedBroker) -> MqttSink:
    settings = Mqtt(host="127.0.0.1", port=broker.port, discovery_prefix="homeassistant")
    return MqttSink(settings, device_id="kiosk-1", clock=SystemClock())


def topics(broker: ScriptedBroker) -> list[str]:
    return [message.topic for message in broker.published]


def test_announcement_and_goodbye_wait_for_acknowledgements() -> None:
    with ScriptedBroker(RECEIVE_MAXIMUM_1) as broker:
        with sink_for(broker) as sink:
            sink.publish(OutMessage("state", state()))
            sink.publish(event_message())
        wait_until(lambda: DISCONNECT in broker.kinds, what="the end")

    assert topics(broker) == [AVAILABILITY, DESCRIPTION, f"{BASE}/state", f"{BASE}/event", AVAILABILITY]
    assert [broker.published[0].payload, broker.published[-1].payload] == [b"online", b"offline"]
    assert broker.most_unacknowledged == 1
    assert sink.published["event"] == 1


def test_what_home_assistant_asks_for_again_waits_for_acknowledgements() -> None:
    with ScriptedBroker(RECEIVE_MAXIMUM_1) as broker, sink_for(broker):
        wait_until(lambda: DESCRIPTION in topics(broker), what="the first description")
        for _ in range(3):
            broker.say("homeassistant/status", b"online")
        wait_until(lambda: topics(broker).count(DESCRIPTION) > 1, what="the description again")

    assert broker.most_unacknowledged == 1


def test_a_broker_that_acknowledges_nothing_is_left_to_send_the_will(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sink_file, "CLOSE_TIMEOUT_S", 1.0)

    with ScriptedBroker(RECEIVE_MAXIMUM_1, accept_none) as broker, sink_for(broker) as sink:
        sink.publish(event_message())
        wait_until(lambda: broker.published, what="online")

    assert topics(broker) == [AVAILABILITY]
    assert DISCONNECT not in broker.kinds


def test_an_event_that_is_acknowledged_at_the_last_moment_is_delivered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publisher, "GOODBYE_S", sink_file.CLOSE_TIMEOUT_S)  # nothing is left for the queue

    with ScriptedBroker(RECEIVE_MAXIMUM_1) as broker:
        with sink_for(broker) as sink:
            wait_until(lambda: DESCRIPTION in topics(broker), what="the description")
            sink.publish(event_message())
            wait_until(lambda: f"{BASE}/event" in topics(broker), what="the event")
        wait_until(lambda: DISCONNECT in broker.kinds, what="the end")

    assert topics(broker)[-2:] == [f"{BASE}/event", AVAILABILITY]
    assert sink.published["event"] == 1
    assert not sink.dropped
