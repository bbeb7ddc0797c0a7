"""One worker: a process with some hundred devices, each the product's own MQTT sink, publishing by the plan."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Final

import msgspec

from benchmarks.fleet.limits import raise_file_limit
from benchmarks.fleet.plan import Plan, device_id
from edge_runtime.clock import SystemClock
from edge_runtime.payloads import OutMessage
from edge_runtime.settings import Mqtt
from edge_runtime.sinks.mqtt import MqttSink
from tests.samples import event, observation, state, status

TICK_S: Final = 0.05
"""How often a worker looks whose message is due."""

SWITCH_S: Final = 0.0005
"""A tenth of Python's usual turn: with a hundred threads the main one must not wait for a hundred turns."""

DRAIN_S: Final = 120.0
"""Longest wait for acknowledgements at the end."""


@dataclass
class Device:
    """One sink and when it has something to say."""

    number: int
    sink: MqttSink
    next_event_at: float
    next_observation_at: float
    sent: int = 0
    """Events that were handed to the sink; their `seq` counts from 1."""

    def publish_what_is_due(self, now: float, plan: Plan) -> None:
        """Do what the frame loop would do."""
        if now >= self.next_event_at:
            self.next_event_at += plan.event_every_s
            self.sent += 1
            named = msgspec.structs.replace(event(seq=self.sent), device_id=device_id(self.number))
            self.sink.publish(OutMessage("event", named))
        if plan.observation_every_s and now >= self.next_observation_at:
            self.next_observation_at += plan.observation_every_s
            self.sink.publish(OutMessage("observation", observation()))


def work(plan: Plan, worker: int, port: int, line: Connection) -> None:
    """Wait for `go`, run the devices of one worker until the other end of the line says `stop`, then report."""
    raise_file_limit()
    sys.setswitchinterval(SWITCH_S)
    logging.getLogger("edge_runtime").setLevel(logging.ERROR)  # every device would tell that the broker is away
    line.send("ready")
    line.recv()
    clock = SystemClock()
    with ExitStack() as stack:
        devices = []
        for number in plan.share(worker):
            settings = Mqtt(host="127.0.0.1", port=port)
            sink = stack.enter_context(MqttSink(settings, device_id=device_id(number), clock=clock))
            sink.publish(OutMessage("status", status()))
            sink.publish(OutMessage("state", state()))
            # Spread over the period: devices are not switched on in step.
            share = number / plan.devices
            begin = time.monotonic()
            devices.append(
                Device(number, sink, begin + share * plan.event_every_s, begin + share * plan.observation_every_s)
            )
        _publish_until_stopped(devices, plan, line)
        _drain(devices)
        line.send([_report(device) for device in devices])
        line.recv()  # the end is a storm too; it waits until everything is counted


def _publish_until_stopped(devices: Sequence[Device], plan: Plan, line: Connection) -> None:
    while not line.poll(TICK_S):
        now = time.monotonic()
        for device in devices:
            device.publish_what_is_due(now, plan)
    line.recv()


def _drain(devices: Sequence[Device]) -> None:
    give_up_at = time.monotonic() + DRAIN_S
    while any(device.sink.pending for device in devices) and time.monotonic() < give_up_at:
        time.sleep(TICK_S)


def _report(device: Device) -> dict[str, object]:
    return {
        "device": device_id(device.number),
        "sent": device.sent,
        "pending": device.sink.pending,
        "published": dict(device.sink.published),
        "dropped": dict(device.sink.dropped),
    }
