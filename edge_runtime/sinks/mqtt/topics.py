"""Which topics there are, and how each is sent: the only home of retain, QoS and expiry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Route:
    """How the messages of one topic are sent."""

    qos: int
    """0: at most once. 1: at least once."""

    retain: bool
    """Whether the broker keeps the last one for whoever subscribes later."""

    expiry_s: int | None = None
    """Seconds after which the broker throws an undelivered one away (MQTT 5); None = never."""


AVAILABILITY: Final = "availability"
ONLINE: Final = b"online"
OFFLINE: Final = b"offline"

RESULT: Final = "cmd/<name>/result"
"""Stands for the results of all commands."""

LIVE: Final = Route(qos=0, retain=False, expiry_s=60)
"""A stream: the next one replaces it, so an old one is worth nothing."""

ROUTES: Final[Mapping[str, Route]] = {
    AVAILABILITY: Route(qos=1, retain=True),
    "status": Route(qos=1, retain=True),
    "state": Route(qos=1, retain=True),
    "event": Route(qos=1, retain=False),
    "observation": LIVE,
    RESULT: Route(qos=1, retain=False),
    "telemetry": Route(qos=0, retain=False, expiry_s=180),
}
"""By the last level of the topic."""


def route(last_level: str) -> Route:
    """Return how a topic is sent; what the table does not name is a stream."""
    return ROUTES.get(last_level, LIVE)
