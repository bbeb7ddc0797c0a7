"""A broker that refuses us, or cannot do what the sink promises, is told once with the remedy that fits."""

from __future__ import annotations

import logging
import random
from pathlib import Path

import msgspec
import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from edge_runtime.clock import SystemClock
from edge_runtime.errors import BrokerError
from edge_runtime.settings import Mqtt
from edge_runtime.sinks.mqtt import MqttSink, publisher
from edge_runtime.sinks.mqtt.failures import why_not
from edge_runtime.sinks.mqtt.options import Options
from edge_runtime.sinks.mqtt.round_trip import round_trip
from tests.broker import Mosquitto, wait_until
from tests.samples import event_message
from tests.sinks.mqtt.scripted_broker import (
    CONNECT,
    MAXIMUM_QOS_0,
    MAXIMUM_QOS_1,
    RETAIN_AVAILABLE,
    RETAIN_UNAVAILABLE,
    Published,
    ScriptedBroker,
)

BASE = "emotion_edge/kiosk-1"
NO_QOS_1 = "let it take QoS 1"
NO_RETAIN = "let it keep retained messages"
TRIES = 3


class ShortPauses(random.Random):
    """Shortens the pauses between two tries."""

    def uniform(self, a: float, b: float) -> float:
        del a, b
        return 0.01


def sink_for(port: int, *, require: bool = False) -> MqttSink:
    settings = Mqtt(host="127.0.0.1", port=port, require=require)
    return MqttSink(settings, device_id="kiosk-1", clock=SystemClock(), rng=ShortPauses(), required_within_s=0.5)


@pytest.mark.parametrize(
    ("properties", "remedy"), [(MAXIMUM_QOS_0, NO_QOS_1), (RETAIN_UNAVAILABLE, NO_RETAIN)], ids=["qos", "retain"]
)
def test_a_broker_that_lacks_what_is_promised_is_told_once_and_sent_nothing(
    properties: bytes, remedy: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)

    with ScriptedBroker(properties) as broker, sink_for(broker.port) as sink:
        sink.publish(event_message())
        wait_until(lambda: broker.kinds.count(CONNECT) > TRIES, what="further tries")
        problem, pending = sink.problem, sink.pending

    assert remedy in (problem or "")
    assert len([record for record in caplog.records if remedy in record.getMessage()]) == 1
    assert pending == 1
    assert set(broker.kinds) == {CONNECT}


def test_a_required_broker_that_lacks_what_is_promised_ends_the_program() -> None:
    with (
        ScriptedBroker(MAXIMUM_QOS_0) as broker,
        pytest.raises(BrokerError, match=NO_QOS_1),
        sink_for(broker.port, require=True),
    ):
        pass


def test_a_broker_that_says_it_can_is_used() -> None:
    with ScriptedBroker(MAXIMUM_QOS_1 + RETAIN_AVAILABLE) as broker, sink_for(broker.port) as sink:
        wait_until(lambda: sink.connected, what="a connection")


@pytest.mark.broker
@pytest.mark.parametrize(
    ("setting", "reason", "remedy"),
    [
        ("retain_available false", "Retain not supported", NO_RETAIN),
        ("max_qos 0", "QoS not supported", NO_QOS_1),
    ],
)
def test_mosquitto_that_lacks_what_is_promised_is_told(
    tmp_path: Path, setting: str, reason: str, remedy: str, caplog: pytest.LogCaptureFixture
) -> None:
    broker = Mosquitto(tmp_path, setting)
    broker.start()
    try:
        with caplog.at_level(logging.WARNING), sink_for(broker.port) as sink:
            wait_until(lambda: reason in (sink.problem or ""), what="the refusal")
            problem = sink.problem or ""
    finally:
        broker.stop()

    assert remedy in problem
    assert remedy in caplog.text
    assert "password" not in problem


def test_the_self_test_does_not_pass_where_the_service_cannot_work() -> None:
    with ScriptedBroker(MAXIMUM_QOS_0) as broker, pytest.raises(BrokerError, match=NO_QOS_1):
        round_trip(Options(Mqtt(host="127.0.0.1", port=broker.port), "kiosk-1"), "selftest", b"1", clock=SystemClock())

    assert set(broker.kinds) <= {CONNECT, 0xE0}


@pytest.mark.parametrize(
    ("reason", "remedy"),
    [
        ("Bad user name or password", "check mqtt.username and mqtt.password_file"),
        ("Not authorized", "check mqtt.username and mqtt.password_file"),
        ("Unsupported protocol version", 'mqtt.version = "3.1.1"'),
        ("Client identifier not valid", "device.id"),
        ("Topic name invalid", "mqtt.base_topic"),
        ("Server unavailable", "tried again"),
        ("Server busy", "tried again"),
        ("Connection rate exceeded", "tried again"),
        ("Banned", "administrator"),
        ("Server moved", "mqtt.host"),
        ("Quota exceeded", "limit"),
        ("Retain not supported", NO_RETAIN),
        ("QoS not supported", NO_QOS_1),
        ("Unspecified error", "the broker's log"),
        ("Malformed packet", "the broker's log"),
    ],
)
def test_the_remedy_fits_the_reason(reason: str, remedy: str) -> None:
    told = why_not(ReasonCode(PacketTypes.CONNACK, reason), Properties(PacketTypes.CONNACK)) or ""  # type: ignore[no-untyped-call]

    assert f"refused the connection: {reason}; " in told
    assert remedy in told
    assert ("password" in told) == (reason in {"Bad user name or password", "Not authorized"})


def test_a_packet_identifier_that_is_in_use_says_nothing_of_the_event(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publisher, "REFUSED_PAUSE_S", 0.1)
    answers = iter([0x91])

    def identifier_in_use_once(message: Published) -> int:
        return next(answers, 0) if message.topic == f"{BASE}/event" else 0

    with ScriptedBroker(answer=identifier_in_use_once) as broker, sink_for(broker.port) as sink:
        sink.publish(event_message())
        wait_until(lambda: sink.published["event"] or sink.dropped, what="the event is taken or dropped")

    assert not sink.dropped
    assert [message.topic for message in broker.published].count(f"{BASE}/event") == 2


def test_an_event_that_is_refused_among_accepted_ones_is_sent_again_on_the_same_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(publisher, "REFUSED_PAUSE_S", 0.1)
    answers = iter([0, 0x91])

    def second_is_refused_once(message: Published) -> int:
        return next(answers, 0) if message.topic == f"{BASE}/event" else 0

    with ScriptedBroker(answer=second_is_refused_once) as broker, sink_for(broker.port) as sink:
        for seq in (1, 2, 3):
            sink.publish(event_message(seq))
        wait_until(lambda: not sink.pending, what="all three are acknowledged")

    sent = [msgspec.json.decode(message.payload)["seq"] for message in broker.published if "/event" in message.topic]
    assert sent == [1, 2, 3, 2]
    assert broker.kinds.count(CONNECT) == 1
