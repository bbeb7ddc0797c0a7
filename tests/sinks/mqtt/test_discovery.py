from __future__ import annotations

from typing import get_type_hints

import msgspec
import pytest
from paho.mqtt import publish

from edge_runtime.clock import SystemClock
from edge_runtime.payloads import OutMessage, State, Status, Telemetry
from edge_runtime.settings import Mqtt
from edge_runtime.sinks.mqtt import MqttSink
from edge_runtime.sinks.mqtt.discovery import discovery_payload, discovery_topic
from edge_runtime.sinks.mqtt.options import Options
from tests.broker import Listener, Mosquitto, wait_until
from tests.samples import state

TOPIC = "homeassistant/device/emotion_edge_kiosk-1/config"


def options(device_id: str = "kiosk-1") -> Options:
    return Options(Mqtt(host="broker.example", discovery_prefix="homeassistant"), device_id)


def test_the_topic_has_only_characters_that_home_assistant_takes() -> None:
    assert discovery_topic(options()) == TOPIC
    assert discovery_topic(options("kiosk.1")) == "homeassistant/device/emotion_edge_kiosk_1/config"


def test_the_description_has_what_home_assistant_requires() -> None:
    described = msgspec.json.decode(discovery_payload(options()))

    assert described["avty_t"] == "emotion_edge/kiosk-1/availability"
    assert described["dev"]["ids"] == ["emotion_edge_kiosk-1"]
    assert described["o"]["name"] == "emotion-edge"
    assert len(described["cmps"]) == 6
    for name, component in described["cmps"].items():
        assert component["p"] == "sensor"
        assert component["unique_id"] == name
        assert component["state_topic"].startswith("emotion_edge/kiosk-1/")


def test_templates_name_fields_that_payloads_have() -> None:
    components = msgspec.json.decode(discovery_payload(options()))["cmps"].values()
    fields = {"state": get_type_hints(State), "status": get_type_hints(Status), "telemetry": get_type_hints(Telemetry)}

    for component in components:
        field = component["value_template"].partition("value_json.")[2].split()[0]
        assert field in fields[component["state_topic"].rpartition("/")[2]]


@pytest.mark.broker
def test_the_device_is_described_on_connect_and_again_when_home_assistant_starts(broker: Mosquitto) -> None:
    settings = Mqtt(host="127.0.0.1", port=broker.port, discovery_prefix="homeassistant")

    with Listener(broker.port) as listener, MqttSink(settings, device_id="kiosk-1", clock=SystemClock()) as sink:
        sink.publish(OutMessage("state", state()))
        first = listener.next("/config")
        listener.next("/state")
        publish.single("homeassistant/status", "online", hostname="127.0.0.1", port=broker.port)
        again = listener.next("/config")
        state_again = listener.next("/state")

    assert first.topic == again.topic == TOPIC
    assert first.payload == again.payload
    assert state_again.payload == OutMessage("state", state()).to_json()


@pytest.mark.broker
def test_without_a_prefix_nothing_is_sent_elsewhere(broker: Mosquitto) -> None:
    with Listener(broker.port) as listener:
        with MqttSink(
            Mqtt(host="127.0.0.1", port=broker.port), device_id="kiosk-1", clock=SystemClock(), required_within_s=1.0
        ) as sink:
            wait_until(lambda: sink.connected, what="a connection")
        topics = {found.topic for found in listener.take(2)}

    assert topics == {"emotion_edge/kiosk-1/availability"}
