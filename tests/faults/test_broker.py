"""The broker is killed, frozen or forgets: the frame loop does not notice, events arrive, the state is told."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import msgspec
import pytest

from edge_runtime.clock import SystemClock
from edge_runtime.payloads import OutMessage
from edge_runtime.settings import Mqtt
from edge_runtime.sinks.mqtt import MqttSink
from tests.broker import Listener, Mosquitto, wait_until
from tests.samples import event_message, observation, state, status
from tests.source_tree import ROOT

pytestmark = pytest.mark.broker
BASE = "emotion_edge/kiosk-1"

CHILD = """
import sys, time
from edge_runtime.clock import SystemClock
from edge_runtime.settings import Mqtt
from edge_runtime.sinks.mqtt import MqttSink
settings = Mqtt(host="127.0.0.1", port=int(sys.argv[1]), version=sys.argv[2], will_delay_s=1, keep_alive_s=5)
with MqttSink(settings, device_id="kiosk-1", clock=SystemClock()) as sink:
    while not sink.connected:
        time.sleep(0.01)
    print("connected", flush=True)
    sys.stdin.read()
"""


def sink_for(broker: Mosquitto, *, keep_alive_s: int = 30) -> MqttSink:
    settings = Mqtt(host="127.0.0.1", port=broker.port, keep_alive_s=keep_alive_s)
    return MqttSink(settings, device_id="kiosk-1", clock=SystemClock())


def seqs(listener: Listener, count: int) -> set[int]:
    """Wait for so many different events."""
    found: set[int] = set()
    while len(found) < count:
        found.add(msgspec.json.decode(listener.next("/event").payload)["seq"])
    return found


@pytest.mark.parametrize("version", ["5", "3.1.1"])
def test_a_killed_program_is_reported_offline(broker: Mosquitto, version: str) -> None:
    with Listener(broker.port, f"{BASE}/availability") as listener:
        with subprocess.Popen(
            [sys.executable, "-c", CHILD, str(broker.port), version],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as program:
            assert program.stdout is not None
            assert program.stdout.readline() == b"connected\n"
            online = listener.next()
            program.send_signal(signal.SIGKILL)
            program.wait(timeout=10)
        offline = listener.next()

    assert (online.payload, offline.payload) == (b"online", b"offline")


def test_a_broker_that_was_killed_gets_everything_again(broker: Mosquitto) -> None:
    with sink_for(broker) as sink:
        wait_until(lambda: sink.connected, what="a connection")
        sink.publish(OutMessage("status", status()))
        sink.publish(OutMessage("state", state()))
        wait_until(lambda: sink.published["state"] == 1, what="the state is sent")

        broker.kill()
        wait_until(lambda: not sink.connected, what="the loss is noticed")
        for seq in range(1, 101):
            sink.publish(event_message(seq))
        told = sink.problem
        broker.start()  # without persistence: it has forgotten every retained message
        wait_until(lambda: sink.published["event"] == 100, what="all events are acknowledged")
        with Listener(broker.port) as late:
            retained = {found.topic: found.payload for found in late.take(3)}

    assert told is not None
    assert retained == {
        f"{BASE}/availability": b"online",
        f"{BASE}/state": msgspec.json.encode(state()),
        f"{BASE}/status": msgspec.json.encode(status()),
    }
    assert not sink.dropped


@pytest.mark.slow
def test_events_published_while_the_broker_dies_and_comes_back_arrive_at_least_once(broker: Mosquitto) -> None:
    rounds, each = 3, 40

    with sink_for(broker) as sink:
        for number in range(rounds):
            with Listener(broker.port, f"{BASE}/event") as listener:
                for seq in range(number * each, (number + 1) * each):
                    sink.publish(event_message(seq + 1))
                arrived = seqs(listener, each)
            assert arrived == set(range(number * each + 1, (number + 1) * each + 1))
            broker.kill()
            wait_until(lambda: not sink.connected, what="the loss is noticed")
            broker.start()
        wait_until(lambda: sink.connected, what="a connection")

    assert not sink.dropped


@pytest.mark.slow
def test_a_frozen_broker_does_not_block_the_frame_loop(broker: Mosquitto) -> None:
    slowest_s = 0.0

    with sink_for(broker, keep_alive_s=5) as sink:
        wait_until(lambda: sink.connected, what="a connection")
        broker.freeze()
        for seq in range(1, 3001):
            begun = time.perf_counter()
            sink.publish(event_message(seq % 1000 + 1))
            sink.publish(OutMessage("observation", observation()))
            slowest_s = max(slowest_s, time.perf_counter() - begun)
        wait_until(lambda: not sink.connected, what="the silence is noticed", timeout_s=30.0)
        broker.thaw()
        wait_until(lambda: sink.published["event"] >= 1000, what="what was kept is delivered", timeout_s=60.0)

    # A turn of the frame loop at 30 frames a second is 33 ms; this machine may be busy with other things.
    assert slowest_s < 0.25
    assert sink.dropped["queue_full"] == 2000
    assert sink.dropped["slow_broker"] > 0


def test_the_end_is_not_held_up_by_a_frozen_broker(broker: Mosquitto) -> None:
    with sink_for(broker) as sink:
        wait_until(lambda: sink.connected, what="a connection")
        broker.freeze()
        for seq in range(1, 101):
            sink.publish(event_message(seq))
        begun = time.monotonic()
    took_s = time.monotonic() - begun
    broker.thaw()

    assert took_s < 5.0
    assert sink.dropped["close"] == 100
