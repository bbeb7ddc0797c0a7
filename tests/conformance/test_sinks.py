"""One suite for everything that is a Sink. A new back-end adds a way to make it below; the tests stay as they are."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import jsonschema
import msgspec
import pytest

from edge_runtime.clock import SystemClock
from edge_runtime.interfaces import Sink
from edge_runtime.outbox import Outbox
from edge_runtime.payloads import OutMessage
from edge_runtime.schemas import SCHEMA_NAMES, load_schema
from edge_runtime.settings import Console, Log, Mqtt
from edge_runtime.settings import Outbox as OutboxSettings
from edge_runtime.sinks.console import ConsoleSink
from edge_runtime.sinks.jsonl import JsonlSink
from edge_runtime.sinks.mqtt import MqttSink
from edge_runtime.testing import MemorySink
from tests.broker import Listener, Mosquitto, broker, free_port, wait_until
from tests.samples import event_message, messages

__all__ = ["broker"]

VALIDATORS = {name: jsonschema.Draft202012Validator(load_schema(name)) for name in SCHEMA_NAMES}


@dataclass(frozen=True)
class Subject:
    """A sink, and what has come out of it so far."""

    sink: Sink
    payloads: Callable[[int], list[bytes]]
    """Wait for so many payloads and return them; nothing for a sink that does not show payloads."""


Opener = Callable[[pytest.FixtureRequest, Path], AbstractContextManager[Subject]]


@contextmanager
def memory(_request: pytest.FixtureRequest, _folder: Path) -> Iterator[Subject]:
    sink = MemorySink()
    yield Subject(sink, lambda _: [message.to_json() for message in sink.messages])


@contextmanager
def console_json(_request: pytest.FixtureRequest, _folder: Path) -> Iterator[Subject]:
    stream = io.StringIO()
    yield Subject(ConsoleSink(Console(format="json"), stream=stream), lambda _: stream.getvalue().encode().splitlines())


@contextmanager
def console_text(_request: pytest.FixtureRequest, _folder: Path) -> Iterator[Subject]:
    yield Subject(ConsoleSink(Console(format="text"), stream=io.StringIO()), lambda _: [])


@contextmanager
def log_file(_request: pytest.FixtureRequest, folder: Path) -> Iterator[Subject]:
    path = folder / "events.jsonl"
    yield Subject(JsonlSink(Log(file=str(path)), clock=SystemClock()), lambda _: path.read_bytes().splitlines())


@contextmanager
def log_file_on_a_full_disk(_request: pytest.FixtureRequest, _folder: Path) -> Iterator[Subject]:
    yield Subject(JsonlSink(Log(file="/dev/full"), clock=SystemClock()), lambda _: [])


@contextmanager
def mqtt(request: pytest.FixtureRequest, _folder: Path) -> Iterator[Subject]:
    with _mqtt(request, outbox=None) as subject:
        yield subject


@contextmanager
def mqtt_with_an_outbox(request: pytest.FixtureRequest, folder: Path) -> Iterator[Subject]:
    outbox = Outbox(OutboxSettings(path=str(folder / "outbox.db"), commit_ms=10), clock=SystemClock())
    with _mqtt(request, outbox=outbox) as subject:
        yield subject


@contextmanager
def _mqtt(request: pytest.FixtureRequest, *, outbox: Outbox | None) -> Iterator[Subject]:
    mosquitto: Mosquitto = request.getfixturevalue("broker")
    settings = Mqtt(host="127.0.0.1", port=mosquitto.port, require=True)
    with Listener(mosquitto.port) as listener:

        def payloads(count: int) -> list[bytes]:
            listener.next("availability")
            return [found.payload for found in listener.take(count)]

        yield Subject(MqttSink(settings, device_id="kiosk-1", clock=SystemClock(), outbox=outbox), payloads)


@contextmanager
def mqtt_without_a_broker(_request: pytest.FixtureRequest, _folder: Path) -> Iterator[Subject]:
    settings = Mqtt(host="127.0.0.1", port=free_port())
    yield Subject(MqttSink(settings, device_id="kiosk-1", clock=SystemClock()), lambda _: [])


@pytest.fixture(
    params=[
        memory,
        console_json,
        console_text,
        log_file,
        log_file_on_a_full_disk,
        pytest.param(mqtt, marks=pytest.mark.broker),
        pytest.param(mqtt_with_an_outbox, marks=pytest.mark.broker),
        mqtt_without_a_broker,
    ],
    ids=lambda opener: opener.__name__,
)
def subject(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Subject]:
    opener: Opener = request.param
    with opener(request, tmp_path) as found:
        yield found


def test_a_sink_has_a_name_and_opens_as_itself(subject: Subject) -> None:
    with subject.sink as opened:
        assert opened is subject.sink
        assert opened.name


def test_nothing_published_is_nothing_wrong(subject: Subject) -> None:
    with subject.sink:
        pass


def test_every_kind_of_message_is_taken_and_comes_out_as_it_was(subject: Subject) -> None:
    sent = one_of_each_topic()

    with subject.sink as sink:
        for message in sent:
            sink.publish(message)
        shown = subject.payloads(len(sent))

    assert not shown or sorted(shown) == sorted(message.to_json() for message in sent)


def test_what_comes_out_is_valid(subject: Subject) -> None:
    sent = one_of_each_topic()

    with subject.sink as sink:
        for message in sent:
            sink.publish(message)
        shown = [msgspec.json.decode(payload) for payload in subject.payloads(len(sent))]

    for payload in shown:
        VALIDATORS[payload["schema"].removeprefix("emotion-edge.").removesuffix("/1")].validate(payload)


def test_a_payload_is_one_line(subject: Subject) -> None:
    message = OutMessage("event", msgspec.structs.replace(event_message().payload, source="a\nb\r\nc\u2028d"))

    with subject.sink as sink:
        sink.publish(message)
        shown = subject.payloads(1)

    assert len(shown) <= 1
    assert all(b"\n" not in payload and b"\r" not in payload for payload in shown)


def test_publish_returns_at_once(subject: Subject) -> None:
    with subject.sink as sink:
        slowest_s = max(_time_of_publish(sink, seq) for seq in range(1, 501))

    # A turn of the frame loop at 30 frames a second is 33 ms; the machine that tests may be busy with other things.
    assert slowest_s < 0.25


def test_an_end_takes_less_than_five_seconds_and_leaves_no_thread(subject: Subject) -> None:
    threads = set(threading.enumerate())

    with subject.sink as sink:
        sink.publish(event_message())
        begun = time.monotonic()
    took_s = time.monotonic() - begun

    assert took_s < 5.0
    wait_until(lambda: set(threading.enumerate()) <= threads, what="all threads end")


def one_of_each_topic() -> list[OutMessage]:
    """Every event type, and the last of each other topic: retained topics replace what was not sent yet."""
    events = [message for message in messages() if message.topic == "event"]
    others = {message.topic: message for message in messages() if message.topic != "event"}
    return [*events, *others.values()]


def _time_of_publish(sink: Sink, seq: int) -> float:
    message = event_message(seq)
    begun = time.perf_counter()
    sink.publish(message)
    return time.perf_counter() - begun
