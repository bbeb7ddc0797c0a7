"""Sinks over a reload: what stays open, and when a broker is required; and what a self-test asks the nets for."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edge_runtime import program
from edge_runtime.audience import Nobody
from edge_runtime.commands import Command, Inbox
from edge_runtime.config import load_config
from edge_runtime.datatypes import Frame, Observation
from edge_runtime.errors import BrokerError
from edge_runtime.interfaces import Sink
from edge_runtime.program import OpenSinks, run
from edge_runtime.settings import Config
from edge_runtime.surroundings import Surroundings
from edge_runtime.testing import MemorySink
from tests.model_store.stores import changer, emodel
from tests.test_config import NOTHING


def configured(**overrides: object) -> Config:
    return load_config(NOTHING, overrides={key.replace("__", "."): value for key, value in overrides.items()})


@dataclass
class Places:
    """Opens sinks that keep everything in memory; the broker may be away."""

    broker_is_away: bool = False
    opened: list[str] = field(default_factory=list)
    sinks: list[MemorySink] = field(default_factory=list)
    """All that were opened."""

    def open_sinks(self, config: Config, *_: object, **__: object) -> list[Sink]:
        """Take the place of wiring.open_sinks."""
        if config.mqtt.host and config.mqtt.require and self.broker_is_away:
            raise BrokerError("a broker is required")
        wanted = {"console": config.console.enabled, "log": config.log.file, "mqtt": config.mqtt.host}
        names = [name for name, is_wanted in wanted.items() if is_wanted]
        self.opened += names
        sinks = [MemorySink() for _ in names]
        self.sinks += sinks
        return list[Sink](sinks)


@pytest.fixture
def places(monkeypatch: pytest.MonkeyPatch) -> Places:
    found = Places()
    monkeypatch.setattr(program, "open_sinks", found.open_sinks)
    return found


def test_a_reload_opens_those_sinks_anew_that_it_concerns(places: Places) -> None:
    usual: dict[str, object] = {"log__file": "e.jsonl", "mqtt__host": "b", "source__uri": "demo"}
    changes: list[dict[str, object]] = [
        {},
        {"detector__every_n_frames": 3},
        {"console__format": "json"},
        {"log__keep": 2},
        {"device__id": "x"},
    ]

    with OpenSinks(Surroundings()) as sinks:
        told = []
        for change in changes:
            places.opened.clear()
            assert len(sinks.of(configured(**{**usual, **change}), live=True)) == 3
            told.append(list(places.opened))
            usual |= change

    assert told == [["console", "log", "mqtt"], [], ["console"], ["log"], ["mqtt"]]


def test_what_waits_for_a_broker_is_kept_when_only_the_console_changes(places: Places) -> None:
    with OpenSinks(Surroundings()) as sinks:
        before = sinks.of(configured(mqtt__host="b"), live=True)[-1]
        without = sinks.of(configured(mqtt__host="b", console__enabled=False), live=True)

        assert without == [before]
        assert places.opened == ["console", "mqtt"]


def test_a_required_broker_that_was_there_once_is_not_required_again(places: Places) -> None:
    required: dict[str, object] = {"mqtt__host": "b", "mqtt__require": True}
    with OpenSinks(Surroundings()) as sinks:
        sinks.of(configured(**required), live=True)
        places.broker_is_away = True

        assert len(sinks.of(configured(**required, device__id="x"), live=True)) == 2
        with pytest.raises(BrokerError):
            sinks.of(configured(**{**required, "mqtt__host": "another"}), live=True)
        assert len(sinks.of(configured(**required), live=True)) == 2


def test_a_broker_that_is_required_at_the_start_must_be_there(places: Places) -> None:
    places.broker_is_away = True

    with OpenSinks(Surroundings()) as sinks, pytest.raises(BrokerError):
        sinks.of(configured(mqtt__host="b", mqtt__require=True), live=True)


def test_a_model_that_is_activated_but_not_in_use_yet_does_not_fail_the_self_test(
    places: Places, tmp_path: Path
) -> None:
    inbox = Inbox()

    class Installer(Nobody):
        def show(self, frame: Frame, seen: Observation) -> None:
            del seen
            if frame.index == 0:
                changer(tmp_path / "store").install(emodel(tmp_path / "new", "9.0.0"))
                inbox.put(Command("selftest", "s"))

    config = configured(source__uri="demo", models__store=str(tmp_path / "store"))
    run(config, Surroundings(audience=Installer(), inbox=inbox, max_frames=2))

    payloads: list[dict[str, Any]] = [msgspec.json.decode(message.to_json()) for message in places.sinks[0].messages]
    (result,) = [payload for payload in payloads if payload.get("command") == "selftest"]
    assert result["ok"], result
