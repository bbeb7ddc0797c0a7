from __future__ import annotations

import logging
import threading
from typing import Literal

import msgspec
import pytest

from edge_runtime.clock import SystemClock
from edge_runtime.errors import BrokerError
from edge_runtime.payloads import OutMessage
from edge_runtime.settings import Mqtt
from edge_runtime.sinks.mqtt import MqttSink
from tests.broker import Listener, Mosquitto, free_port, wait_until
from tests.samples import event, event_message, events, messages, observation, state, status

pytestmark = pytest.mark.broker
BASE = "emotion_edge/kiosk-1"
Version = Literal["5", "3.1.1"]
both_versions = pytest.mark.parametrize("version", ["5", "3.1.1"])


def sink_for(broker: Mosquitto, version: Version = "5", **settings: object) -> MqttSink:
    """Make a sink for the test's broker."""
    fields = msgspec.convert({"host": "127.0.0.1", "port": broker.port, "version": version} | settings, Mqtt)
    return MqttSink(fields, device_id="kiosk-1", clock=SystemClock())


def connected(sink: MqttSink) -> None:
    """Wait until the broker knows the sink."""
    wait_until(lambda: sink.connected, what="a connection")


@both_versions
def test_every_payload_arrives_on_its_topic_as_it_was_written(broker: Mosquitto, version: Version) -> None:
    sent = [OutMessage("event", found) for found in events()]
    sent += [OutMessage("status", status()), OutMessage("state", state()), OutMessage("observation", observation())]

    with Listener(broker.port) as listener, sink_for(broker, version) as sink:
        connected(sink)
        for message in sent:
            sink.publish(message)
        arrived = listener.take(1 + len(sent))

    assert arrived[0].topic == f"{BASE}/availability"
    assert sorted((found.topic, found.payload) for found in arrived[1:]) == sorted(
        (f"{BASE}/{message.topic}", message.to_json()) for message in sent
    )


def test_events_arrive_in_order(broker: Mosquitto) -> None:
    with Listener(broker.port, f"{BASE}/event") as listener, sink_for(broker) as sink:
        for seq in range(1, 301):
            sink.publish(event_message(seq))
        arrived = listener.take(300)

    assert [msgspec.json.decode(found.payload)["seq"] for found in arrived] == list(range(1, 301))
    assert sink.published["event"] == 300
    assert not sink.dropped


@both_versions
def test_retain_and_qos_are_as_the_table_says(broker: Mosquitto, version: Version) -> None:
    with sink_for(broker, version) as sink, Listener(broker.port) as early:
        connected(sink)
        for message in messages():
            sink.publish(message)
        qos = {found.topic.rpartition("/")[2]: found.qos for found in early.take(1 + 6 + 2 + 2 + 1)}
        with Listener(broker.port) as late:
            retained = {found.topic.rpartition("/")[2] for found in late.take(3)}

    assert qos == {"availability": 1, "status": 1, "state": 1, "event": 1, "observation": 0, "telemetry": 0}
    assert retained == {"availability", "status", "state"}


def test_mqtt_5_says_what_a_payload_is_and_lets_streams_expire(broker: Mosquitto) -> None:
    with Listener(broker.port) as listener, sink_for(broker) as sink:
        connected(sink)
        sink.publish(event_message())
        sink.publish(OutMessage("observation", observation()))
        arrived = {found.topic.rpartition("/")[2]: found for found in listener.take(3)}

    assert {name: found.content_type for name, found in arrived.items()} == {
        "availability": "text/plain",
        "event": "application/json",
        "observation": "application/json",
    }
    assert arrived["event"].user_properties == {"schema": "emotion-edge.event/1", "device_id": "kiosk-1"}
    assert [name for name, found in arrived.items() if found.expires] == ["observation"]


@both_versions
def test_a_clean_end_says_offline(broker: Mosquitto, version: Version) -> None:
    with Listener(broker.port, f"{BASE}/availability") as listener:
        with sink_for(broker, version) as sink:
            connected(sink)
        said = [found.payload for found in listener.take(2)]

    assert said == [b"online", b"offline"]


def test_what_is_published_just_before_the_end_arrives_before_offline(broker: Mosquitto) -> None:
    with Listener(broker.port) as listener:
        with sink_for(broker) as sink:
            for seq in range(1, 51):
                sink.publish(event_message(seq))
            sink.publish(OutMessage("status", status()))
        arrived = listener.take(1 + 50 + 1 + 1)

    assert arrived[0].payload == b"online"
    assert arrived[-1].payload == b"offline"


def test_no_thread_is_left(broker: Mosquitto) -> None:
    before = threading.active_count()

    with sink_for(broker) as sink:
        connected(sink)

    assert threading.active_count() == before


def test_a_name_that_two_devices_share_is_told(broker: Mosquitto, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING), sink_for(broker) as first:
        connected(first)
        with sink_for(broker):
            wait_until(lambda: "give every device its own device.id" in caplog.text, what="a hint")


def test_a_missing_broker_is_no_error_unless_it_is_required() -> None:
    absent = Mqtt(host="127.0.0.1", port=free_port())
    required = msgspec.structs.replace(absent, require=True)

    with MqttSink(absent, device_id="kiosk-1", clock=SystemClock()) as sink:
        wait_until(lambda: "refused" in (sink.problem or ""), what="the reason")

    with (
        pytest.raises(BrokerError, match=r"127\.0\.0\.1:\d+: Connection refused; a broker is required"),
        MqttSink(required, device_id="kiosk-1", clock=SystemClock(), required_within_s=0.5),
    ):
        pass


def test_a_required_broker_that_is_there_lets_the_program_begin(broker: Mosquitto) -> None:
    with sink_for(broker, require=True) as sink:
        assert sink.connected


def test_events_that_wait_in_memory_are_bounded_and_counted() -> None:
    settings = Mqtt(host="127.0.0.1", port=free_port(), queue_size=10)

    with MqttSink(settings, device_id="kiosk-1", clock=SystemClock()) as sink:
        for seq in range(1, 16):
            sink.publish(event_message(seq))
        sink.publish(OutMessage("observation", observation()))

        assert sink.dropped == {"queue_full": 5, "not_connected": 1}

    assert sink.dropped == {"queue_full": 5, "not_connected": 1, "close": 10}


def test_a_refused_event_is_kept_and_told(
    tmp_path_factory: pytest.TempPathFactory, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path_factory.mktemp("acl")
    (folder / "acl").write_text("topic write emotion_edge/kiosk-1/availability\ntopic read #\n", encoding="utf-8")
    strict = Mosquitto(folder, f"acl_file {folder / 'acl'}")
    strict.start()

    try:
        with sink_for(strict) as sink:
            connected(sink)
            sink.publish(event_message())
            wait_until(lambda: "refused an event (Not authorized)" in (sink.problem or ""), what="the refusal")
            assert sink.published["event"] == 0
    finally:
        strict.stop()

    assert sink.dropped == {"close": 1}
    assert "may an anonymous client write below emotion_edge/kiosk-1/#?" in caplog.text


def test_an_event_larger_than_the_broker_takes_is_dropped_and_counted(tmp_path_factory: pytest.TempPathFactory) -> None:
    small = Mosquitto(tmp_path_factory.mktemp("small"), "max_packet_size 5000")
    small.start()

    try:
        with Listener(small.port, f"{BASE}/event") as listener, sink_for(small) as sink:
            connected(sink)
            sink.publish(OutMessage("event", event("system", message="x" * 6000)))
            sink.publish(event_message(2))
            arrived = listener.next()
    finally:
        small.stop()

    assert msgspec.json.decode(arrived.payload)["seq"] == 2
    assert sink.dropped == {"too_large": 1}
