"""The gate by itself, and the service that waits behind it."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import msgspec
import numpy as np
import pytest

from edge_runtime.config import load_config
from edge_runtime.datatypes import Frame, Observation
from edge_runtime.heartbeat import Silence
from edge_runtime.payloads import OutMessage, Status
from edge_runtime.service import Service
from edge_runtime.settings import Web
from edge_runtime.surroundings import Surroundings
from edge_runtime.testing import FakeSource, MemorySink
from edge_runtime.web.consent import ConsentGate
from edge_runtime.wiring import Pipeline

PATIENCE_S = 10.0


def gate(**settings: object) -> ConsentGate:
    return ConsentGate(msgspec.convert(settings, Web))


def test_without_a_gate_frames_flow_and_nothing_closes_it() -> None:
    free = gate()

    free.answer(agreed=False)

    assert free.is_open


def test_a_gate_opens_and_closes_with_the_answer() -> None:
    asked = gate(consent_gate=True)

    states = [asked.is_open]
    for agreed in (True, False):
        asked.answer(agreed=agreed)
        states.append(asked.is_open)

    assert states == [False, True, False]


def test_an_agreement_ends_when_nobody_is_there_any_more() -> None:
    asked = gate(consent_gate=True, consent_idle_s=10.0)
    asked.answer(agreed=True)

    asked.saw(0, 100.0)
    asked.saw(1, 105.0)
    asked.saw(0, 114.0)
    still_open = asked.is_open
    asked.saw(0, 115.0)

    assert still_open
    assert not asked.is_open


class Asked:
    """Looks on; agrees only when told."""

    def __init__(self) -> None:
        self.agreed = threading.Event()
        self.waits = threading.Event()
        self.frames = 0

    def reading(self, frames: object) -> None:
        """Nothing to count."""

    def show(self, frame: Frame, seen: Observation) -> None:
        del frame, seen
        self.frames += 1

    def consents(self) -> bool:
        return self.agreed.is_set()

    def wait_for_consent(self, timeout_s: float) -> bool:
        self.waits.set()
        return self.agreed.wait(timeout_s)


class Wavering(Asked):
    """Takes the agreement back after two frames, once."""

    def __init__(self) -> None:
        super().__init__()
        self.agreed.set()

    def show(self, frame: Frame, seen: Observation) -> None:
        super().show(frame, seen)
        if self.frames == 2:
            self.agreed.clear()


class UnhurriedSource(FakeSource):
    """Gives the reader of a live source time to take each frame before the next one replaces it."""

    def frames(self) -> Iterator[Frame]:
        for frame in super().frames():
            yield frame
            threading.Event().wait(0.02)


class Beats(Silence):
    """Remembers that it was told to be ready."""

    def __init__(self) -> None:
        self.is_ready = threading.Event()

    def ready(self) -> None:
        self.is_ready.set()


@pytest.mark.parametrize("live", [True, False])
def test_the_service_is_ready_and_processes_nothing_until_somebody_agrees(*, live: bool) -> None:
    config = load_config(overrides={"console.enabled": False})
    source = FakeSource([np.full((120, 160), 128, np.uint8)] * 5, live=live)
    audience, beats, sink, stop = Asked(), Beats(), MemorySink(), threading.Event()
    around = Surroundings(stop=stop, heartbeat=beats, audience=audience)
    service = Service(config, Pipeline.from_config(config), source, [sink], around)
    thread = threading.Thread(target=service.run)

    thread.start()
    assert audience.waits.wait(PATIENCE_S)
    ready, before = beats.is_ready.is_set(), audience.frames
    audience.agreed.set()
    thread.join(PATIENCE_S)

    assert not thread.is_alive()
    assert (ready, before) == (True, 0)
    assert audience.frames >= 1
    payloads = [message.payload for message in sink.messages if isinstance(message, OutMessage)]
    cameras = [payload.camera for payload in payloads if isinstance(payload, Status)]
    assert cameras[:3] == ["connecting", "paused", "running"]


@pytest.mark.parametrize("live", [True, False])
def test_an_agreement_that_is_taken_back_stops_the_frames_and_a_new_one_starts_them(*, live: bool) -> None:
    config = load_config(overrides={"console.enabled": False})
    source = UnhurriedSource([np.full((120, 160), 128, np.uint8)] * 200, live=live)
    audience, sink = Wavering(), MemorySink()
    around = Surroundings(audience=audience, max_frames=4)
    thread = threading.Thread(target=Service(config, Pipeline.from_config(config), source, [sink], around).run)

    thread.start()
    assert audience.waits.wait(PATIENCE_S)
    while_asked = audience.frames
    audience.agreed.set()
    thread.join(PATIENCE_S)

    assert not thread.is_alive()
    assert while_asked == 2
    payloads = [message.payload for message in sink.messages if isinstance(message, OutMessage)]
    cameras = [payload.camera for payload in payloads if isinstance(payload, Status)]
    assert cameras == ["connecting", "running", "paused", "running", "ended"]
