"""What settings must be beside each other, beyond what each of them may be alone."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from typing import NamedTuple

from edge_runtime.settings import Config


class Fault(NamedTuple):
    """A rule that a configuration breaks."""

    keys: tuple[str, ...]
    """Dotted keys that have to do with it; the fault is where the last of them was set."""
    told: str
    """What is wrong and the remedy, for a person."""


def faults(config: Config) -> Iterator[Fault]:
    """Yield every rule that is broken."""
    yield from _deployment(config)
    yield from _consent(config)
    yield from _broker(config)
    yield from _governor(config)


def _deployment(config: Config) -> Iterator[Fault]:
    deployment = config.deployment
    if deployment.context in {"workplace", "education"} and not deployment.medical_or_safety_reason.strip():
        yield Fault(
            ("deployment.context",),
            f"deployment.context = {deployment.context!r}: "
            f"emotion recognition there is prohibited in the EU but for "
            f"medical or safety reasons (AI Act Art. 5(1)(f)); state yours in deployment.medical_or_safety_reason, "
            f"see docs/privacy.md",
        )


def _consent(config: Config) -> Iterator[Fault]:
    """Refuse a gate that nobody could open, or that would not be there."""
    web = config.web
    if web.consent_gate and not (web.enabled and web.page):
        missing = "page" if web.enabled else "enabled"
        yield Fault(
            ("web.consent_gate",),
            f"web.consent_gate = true, but web.{missing} = false: people agree on the page; "
            f"set web.{missing} = true, or web.consent_gate = false",
        )


def _broker(config: Config) -> Iterator[Fault]:
    """Refuse a broker that is required and not named, and an address in the place of a name: both look like silence."""
    mqtt = config.mqtt
    if mqtt.require and not mqtt.host:
        yield Fault(
            ("mqtt.require",),
            "mqtt.require = true, but mqtt.host is empty: no broker is named; "
            "set mqtt.host (--mqtt HOST), or mqtt.require = false",
        )
    if re.search(r"[/@\[\]\s]", mqtt.host) or re.fullmatch(r"[^:]+:\d*", mqtt.host):
        yield Fault(
            ("mqtt.host",),
            # The value is not repeated: an address may hold a password.
            "mqtt.host: expected a name or an address alone, for instance 'broker.lan'; "
            "the port is mqtt.port, encryption is mqtt.tls",
        )


def _governor(config: Config) -> Iterator[Fault]:
    governor = config.governor
    if governor.cool_c >= governor.hot_c:
        yield Fault(
            ("governor.hot_c", "governor.cool_c"),
            f"governor.cool_c = {governor.cool_c:g}: expected less than governor.hot_c = {governor.hot_c:g}",
        )
    if any(after >= before for before, after in itertools.pairwise(governor.steps_fps)):
        steps = ", ".join(f"{step:g}" for step in governor.steps_fps)
        yield Fault(
            ("governor.steps_fps",),
            f"governor.steps_fps = [{steps}]: expected each step below the one before it",
        )
