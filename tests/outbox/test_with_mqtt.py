"""Outbox and MQTT sink together: what wiring builds."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import jsonschema
import msgspec
import pytest

from edge_runtime.clock import SystemClock
from edge_runtime.outbox import Outbox
from edge_runtime.outbox.inspection import replay, rows, summary
from edge_runtime.schemas import load_schema
from edge_runtime.settings import Mqtt
from edge_runtime.settings import Outbox as Settings
from edge_runtime.sinks.mqtt import MqttSink
from tests.broker import Listener, Mosquitto, broker, wait_until
from tests.samples import event_message

__all__ = ["broker"]
pytestmark = pytest.mark.broker


def outbox_at(path: Path, **settings: float) -> Outbox:
    return Outbox(msgspec.convert({"path": str(path), "commit_ms": 20} | settings, Settings), clock=SystemClock())


def sink_for(broker: Mosquitto, outbox: Outbox) -> MqttSink:
    return MqttSink(Mqtt(host="127.0.0.1", port=broker.port), device_id="kiosk-1", clock=SystemClock(), outbox=outbox)


def payloads(listener: Listener, count: int) -> list[dict[str, object]]:
    return [msgspec.json.decode(found.payload) for found in listener.take(count, "/event")]


def test_events_flow_through_the_outbox_in_order(broker: Mosquitto, tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"

    with Listener(broker.port) as listener, sink_for(broker, outbox_at(path)) as sink:
        for seq in range(1, 101):
            sink.publish(event_message(seq))
        arrived = payloads(listener, 100)

    assert [payload["seq"] for payload in arrived] == list(range(1, 101))
    assert (summary(path).waiting, summary(path).sent) == (0, 100)


def test_events_of_an_earlier_start_are_sent_first(broker: Mosquitto, tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    with outbox_at(path) as outbox:
        for seq in range(1, 301):
            outbox.append(event_message(seq))

    with (
        Listener(broker.port) as listener,
        sink_for(broker, outbox_at(path, send_per_s=1000)) as sink,
    ):
        sink.publish(event_message(301))
        arrived = payloads(listener, 301)

    assert [payload["seq"] for payload in arrived] == list(range(1, 302))


def test_what_waits_is_sent_at_a_limited_rate(broker: Mosquitto, tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    clock = SystemClock()
    with outbox_at(path) as outbox:
        for seq in range(1, 141):
            outbox.append(event_message(seq))

    with Listener(broker.port) as listener, sink_for(broker, outbox_at(path, send_per_s=40)):
        payloads(listener, 1)
        begun_at = clock.monotonic()
        payloads(listener, 139)
        took_s = clock.monotonic() - begun_at

    # 40 at once, then 40 a second: 100 more take 2.5 s.
    assert took_s > 2.0


def test_a_replay_marks_its_events_and_they_are_valid(broker: Mosquitto, tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    validator = jsonschema.Draft202012Validator(load_schema("event"))

    with Listener(broker.port) as listener, sink_for(broker, outbox_at(path)) as sink:
        for seq in range(1, 6):
            sink.publish(event_message(seq))
        first = payloads(listener, 5)
        wait_until(lambda: summary(path).sent == 5, what="acknowledgements on disk")
        replay(path, from_seq=4)
        second = payloads(listener, 2)

    assert second == [payload | {"replayed": True} for payload in first[3:]]
    for payload in second:
        validator.validate(payload)


def test_a_broker_that_forgot_what_it_acknowledged_gets_it_again_on_request(broker: Mosquitto, tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"

    with sink_for(broker, outbox_at(path)) as sink:
        for seq in range(1, 51):
            sink.publish(event_message(seq))
        wait_until(lambda: summary(path).sent == 50, what="acknowledgements on disk")
        broker.kill()
        wait_until(lambda: not sink.connected, what="the loss is noticed")
        broker.start()
        with Listener(broker.port) as listener:
            replay(path, from_seq=1)
            arrived = payloads(listener, 50)

    assert [payload["seq"] for payload in arrived] == list(range(1, 51))


@pytest.mark.parametrize(
    "flipped",
    ["topic = 'evenu'", "topic = 'eve#t'", "topic = CAST(x'ff76656e74' AS TEXT)", "schema = 'a\u0001b'"],
)
def test_a_damaged_row_is_dropped_and_counted_and_all_others_are_sent(
    flipped: str, broker: Mosquitto, tmp_path: Path
) -> None:
    path = tmp_path / "outbox.db"
    with outbox_at(path) as outbox:
        for seq in range(1, 4):
            outbox.append(event_message(seq))
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(f"UPDATE outbox SET {flipped} WHERE seq = 2")  # noqa: S608  of this file

    with Listener(broker.port) as listener, sink_for(broker, outbox_at(path)) as sink:
        arrived = payloads(listener, 2)
        wait_until(lambda: not sink.pending, what="nothing waits")

    assert [payload["seq"] for payload in arrived] == [1, 3]
    assert sink.dropped == {"damaged": 1}


def test_a_damaged_payload_that_is_asked_for_again_ends_no_thread(broker: Mosquitto, tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    with outbox_at(path) as outbox:
        for seq in range(1, 4):
            outbox.append(event_message(seq))
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE outbox SET replayed = 1, payload = x'7b22c3' WHERE seq = 2")

    with Listener(broker.port) as listener, sink_for(broker, outbox_at(path)):
        arrived = [found.payload for found in listener.take(3, "/event")]

    assert arrived == [event_message(1).to_json(), b'{"\xc3', event_message(3).to_json()]
    assert [row.event_type for row in rows(path)] == ["emotion_started", "damaged", "emotion_started"]
