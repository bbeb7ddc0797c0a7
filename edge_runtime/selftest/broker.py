"""An event goes to the broker and comes back, over the configured connection, TLS and password included."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from edge_runtime.clock import SystemClock
from edge_runtime.config import device_id
from edge_runtime.events import EventWriter, Identity
from edge_runtime.payloads import ModelPayload
from edge_runtime.selftest.verdict import Case
from edge_runtime.settings import Config

TOPIC: Final = "selftest"
"""Last level of the topic; consumers of events do not listen there."""

_NO_MODEL = ModelPayload(name="", version="", sha256="", runtime="", accelerator="")


def cases(config: Config, _capture_s: float) -> Iterator[Case]:
    """Send one system event, wait for the acknowledgement and for the event itself."""
    yield Case("broker", lambda: _there_and_back(config))


def _there_and_back(config: Config) -> str | None:
    if not config.mqtt.host:
        return None
    from edge_runtime.sinks.mqtt.options import Options
    from edge_runtime.sinks.mqtt.round_trip import round_trip

    clock = SystemClock()
    identity = Identity(device_id(config), "selftest", clock.uuid4(), _NO_MODEL)
    event = EventWriter(identity, clock).system("selftest", clock.monotonic())
    options = Options(config.mqtt, identity.device_id)
    trip = round_trip(options, TOPIC, event.to_json(), clock=clock)
    how = "TLS, certificate trusted" if config.mqtt.tls else "not encrypted"
    return (
        f"{options.broker}: one event acknowledged after {trip.acknowledged_ms:.0f} ms, "
        f"back after {trip.returned_ms:.0f} ms, {how}"
    )
