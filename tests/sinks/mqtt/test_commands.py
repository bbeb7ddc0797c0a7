"""Commands over a real broker: what is allowed reaches the inbox, everything else is refused, counted and answered."""

from __future__ import annotations

import logging
from collections import Counter
from typing import Any

import jsonschema
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.clock import SystemClock
from edge_runtime.commands import MAX_WAITING, Command, CommandAnswer, CommandResult, Inbox, ReplyTo
from edge_runtime.schemas import load_schema
from edge_runtime.settings import Mqtt
from edge_runtime.sinks.mqtt import MqttSink
from edge_runtime.sinks.mqtt.intake import MAX_COMMAND_BYTES, Intake
from edge_runtime.sinks.mqtt.options import Options
from edge_runtime.sinks.mqtt.packets import MAX_PACKET_BYTES, Received
from edge_runtime.testing import ManualClock
from tests.broker import Listener, Mosquitto, wait_until
from tests.samples import START

VALIDATOR = jsonschema.Draft202012Validator(load_schema("command_result"))
BASE = "emotion_edge/kiosk-1"
both_versions = pytest.mark.parametrize("version", ["5", "3.1.1"])


def sink_for(broker: Mosquitto, inbox: Inbox | None, *commands: str, version: str = "5", **more: object) -> MqttSink:
    """Make a sink that listens to some commands."""
    fields = {"host": "127.0.0.1", "port": broker.port, "version": version, "commands": commands, **more}
    return MqttSink(msgspec.convert(fields, Mqtt), device_id="kiosk-1", clock=SystemClock(), inbox=inbox)


def settled(sink: MqttSink, broker: Mosquitto) -> None:
    """Wait until the sink's subscription is there."""
    wait_until(lambda: sink.connected, what="a connection")
    wait_until(lambda: "Sending SUBACK to emotion-edge-kiosk-1" in broker.log.read_text(), what="a subscription")


def taken(inbox: Inbox) -> Command:
    """Wait for the next command."""
    found: list[Command] = []

    def has_come() -> bool:
        found.extend(iter(inbox.take, None))
        return bool(found)

    wait_until(has_come, what="a command")
    return found[0]


def result_of(payload: bytes) -> dict[str, Any]:
    """Decode a result that is valid."""
    result: dict[str, Any] = msgspec.json.decode(payload)
    VALIDATOR.validate(result)
    return result


def answer_to(command: Command, *, ok: bool = True) -> CommandAnswer:
    result = CommandResult(device_id="kiosk-1", time=START, command=command.name, ok=ok, message="done", id=command.id)
    return CommandAnswer(result, command.reply_to)


@pytest.mark.broker
@both_versions
def test_an_allowed_command_reaches_the_inbox_and_its_result_the_sender(broker: Mosquitto, version: str) -> None:
    inbox = Inbox()

    with (
        Listener(broker.port, f"{BASE}/cmd/+/result") as listener,
        sink_for(broker, inbox, "pause", "resume", version=version) as sink,
    ):
        settled(sink, broker)
        listener.say(f"{BASE}/cmd/pause", b'{"id": "cleaning"}')
        command = taken(inbox)
        sink.publish(answer_to(command))
        arrived = listener.next("/cmd/pause/result")

    assert (command.name, command.id) == ("pause", "cleaning")
    assert (arrived.qos, arrived.retain) == (1, False)
    result = result_of(arrived.payload)
    assert (result["ok"], result["id"]) == (True, "cleaning")
    assert not +sink.refused_commands


@pytest.mark.broker
def test_a_requester_of_mqtt_5_gets_its_correlation_back_on_both_topics(broker: Mosquitto) -> None:
    inbox = Inbox()

    with Listener(broker.port) as listener, sink_for(broker, inbox, "pause") as sink:
        settled(sink, broker)
        listener.say(f"{BASE}/cmd/pause", response_topic="office/answers", correlation=b"\x00\xff17")
        sink.publish(answer_to(taken(inbox)))
        usual, own = listener.next("/cmd/pause/result"), listener.next("office/answers")

    assert usual.payload == own.payload
    assert usual.correlation == own.correlation == b"\x00\xff17"
    assert own.user_properties["schema"] == "emotion-edge.command_result/1"


@pytest.mark.broker
def test_a_response_topic_among_our_own_topics_is_not_used(broker: Mosquitto) -> None:
    inbox = Inbox()

    with Listener(broker.port) as listener, sink_for(broker, inbox, "pause") as sink:
        settled(sink, broker)
        listener.say(f"{BASE}/cmd/pause", response_topic=f"{BASE}/availability", correlation=b"7")
        command = taken(inbox)
        sink.publish(answer_to(command))
        arrived = listener.next("/cmd/pause/result")

    assert command.reply_to == ReplyTo(None, b"7")
    assert arrived.correlation == b"7"
    assert sink.refused_commands == {"response_topic": 1}
    assert not [found for found in listener.drain() if found.payload == arrived.payload]


@pytest.mark.broker
@both_versions
def test_a_retained_command_is_ignored(broker: Mosquitto, version: str) -> None:
    inbox = Inbox()

    with Listener(broker.port, f"{BASE}/cmd/+/result") as listener:
        listener.say(f"{BASE}/cmd/pause", retain=True)
        with sink_for(broker, inbox, "pause", version=version) as sink:
            settled(sink, broker)
            listener.say(f"{BASE}/cmd/pause", b'{"id": "now"}')
            command = taken(inbox)

    assert command.id == "now"
    assert inbox.take() is None


@pytest.mark.broker
@pytest.mark.parametrize(
    ("name", "payload", "reason", "told"),
    [
        ("reload", b"", "not_allowed", "not in mqtt.commands"),
        ("shutdown", b"", "unknown", "there are pause, resume, reload, selftest"),
        ("pause", b"x" * (MAX_COMMAND_BYTES + 1), "too_large", "larger than 4096 bytes"),
        ("pause", b"x" * 60_000, "too_large", "larger than 4096 bytes"),
        ("pause", b"now!", "malformed", "expected nothing or"),
        ("pause", b'{"id": "a", "run": "rm"}', "malformed", "expected nothing or"),
        ("pause", b'{"id": "' + b"a" * 65 + b'"}', "malformed", "at most 64 characters"),
    ],
)
def test_what_is_not_allowed_is_refused_counted_and_told(
    broker: Mosquitto, name: str, payload: bytes, reason: str, told: str
) -> None:
    inbox = Inbox()

    with Listener(broker.port, f"{BASE}/cmd/+/result") as listener, sink_for(broker, inbox, "pause") as sink:
        settled(sink, broker)
        listener.say(f"{BASE}/cmd/{name}", payload)
        result = result_of(listener.next(f"/cmd/{name}/result").payload)

    assert not result["ok"]
    assert told in result["message"]
    assert sink.refused_commands == {reason: 1}
    assert inbox.take() is None


@pytest.mark.broker
def test_without_commands_nothing_is_subscribed_to_and_an_old_subscription_ends(
    broker: Mosquitto, caplog: pytest.LogCaptureFixture
) -> None:
    inbox = Inbox()
    with caplog.at_level(logging.WARNING), Listener(broker.port, f"{BASE}/#") as listener:
        with sink_for(broker, inbox, "pause") as sink:
            settled(sink, broker)
        with sink_for(broker, inbox) as sink:
            wait_until(lambda: sink.connected, what="a connection")
            wait_until(lambda: "Received UNSUBSCRIBE" in broker.log.read_text(), what="the old subscription ends")
            listener.say(f"{BASE}/cmd/pause")
            assert listener.next("/cmd/pause").topic == f"{BASE}/cmd/pause"

    assert inbox.take() is None
    assert not +sink.refused_commands
    assert "trying again" not in caplog.text


@pytest.mark.broker
def test_a_message_too_large_for_the_memory_of_a_board_stays_at_the_broker(broker: Mosquitto) -> None:
    inbox = Inbox()

    with Listener(broker.port, f"{BASE}/cmd/+/result") as listener, sink_for(broker, inbox, "pause") as sink:
        settled(sink, broker)
        listener.say(f"{BASE}/cmd/pause", bytes(2 * MAX_PACKET_BYTES))
        listener.say(f"{BASE}/cmd/pause", b'{"id": "small"}')
        command = taken(inbox)

    assert command.id == "small"
    assert not sink.refused_commands  # never seen


@pytest.mark.broker
def test_a_flood_is_bounded_and_events_go_on(broker: Mosquitto) -> None:
    inbox = Inbox()

    with Listener(broker.port, f"{BASE}/cmd/+/result") as listener, sink_for(broker, inbox, "pause") as sink:
        settled(sink, broker)
        for _ in range(100):
            listener.say(f"{BASE}/cmd/pause")
        wait_until(lambda: sum(sink.refused_commands.values()) == 100 - MAX_WAITING, what="all others are refused")

    assert set(sink.refused_commands) <= {"busy", "too_fast"}
    assert len([command for command in iter(inbox.take, None) if command.name == "pause"]) == MAX_WAITING


@pytest.mark.broker
def test_a_result_waits_for_the_broker(broker: Mosquitto) -> None:
    command = Command("reload", "r1")
    broker.kill()

    with sink_for(broker, Inbox(), "reload") as sink:
        sink.publish(answer_to(command))
        broker.start()
        with Listener(broker.port, f"{BASE}/cmd/+/result") as listener:
            sink.publish(answer_to(command))
            arrived = listener.next("/cmd/reload/result")

    assert result_of(arrived.payload)["id"] == "r1"


NAMES = st.text(st.characters(exclude_characters="/+#\0", exclude_categories=["Cs"]), max_size=40)


@given(
    name=st.one_of(NAMES, st.sampled_from(["pause", "resume", "reload", "selftest"])),
    payload=st.one_of(st.binary(max_size=5000), st.just(b"[" * 4000), st.just(b'{"id":' * 500)),
    topic=st.one_of(st.none(), st.text(max_size=300)),
)
def test_whatever_comes_leads_to_a_command_or_to_one_count(name: str, payload: bytes, topic: str | None) -> None:
    inbox = Inbox()
    intake = Intake(Options(Mqtt(host="broker", commands=("pause",)), "kiosk-1"), inbox, ManualClock())

    answer = intake.take(Received(f"{BASE}/cmd/{name}", payload, retained=False, reply_to=ReplyTo(topic)))

    command = inbox.take()
    refused = Counter(intake.refused)
    refused.pop("response_topic", 0)
    assert (command is None) == (sum(refused.values()) == 1)
    assert command is None or (command.name == "pause" and answer is None)
    if answer is not None:
        result_of(answer.to_json())
