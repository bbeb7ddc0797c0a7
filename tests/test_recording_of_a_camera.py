"""A recording of a camera that breaks replays to the same events, also where the run was stopped while it was gone."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from edge_runtime.cli.record import record
from edge_runtime.recording import RECORDING_SCHEMA, Header, Recorder, load_recording
from edge_runtime.replay import replayed_events
from edge_runtime.service import Service
from edge_runtime.settings import Config, Console, Source
from edge_runtime.sources.demo import Demo
from edge_runtime.surroundings import Surroundings
from edge_runtime.testing import ManualClock, MemorySink
from edge_runtime.wiring import thresholds_of
from tests.scene import DiscDetector, pipeline
from tests.test_service import Camera, HurriedEvent, Pulse

NOT_COMPARED = {"id", "boot_id", "seq", "time", "start_time", "end_time"}
LONG_ENOUGH_FOR_A_LABEL = 20


class StopAfterLoss(MemorySink):
    """Asks for the end as soon as the camera is lost."""

    def __init__(self, stop: HurriedEvent) -> None:
        super().__init__()
        self._stop = stop

    def publish(self, message: Any) -> None:  # noqa: ANN401  any message
        super().publish(message)
        if b'"camera":"lost"' in message.to_json():
            self._stop.set()


@pytest.mark.parametrize("stop_while_gone", [False, True])
def test_the_same_events_come_out(stop_while_gone: bool, tmp_path: Path) -> None:  # noqa: FBT001
    pulse, stop, clock, chain = Pulse(), HurriedEvent(), ManualClock(), pipeline(DiscDetector())
    sink = StopAfterLoss(stop) if stop_while_gone else MemorySink()
    camera = Camera(pulse, [LONG_ENOUGH_FOR_A_LABEL, None, LONG_ENOUGH_FOR_A_LABEL])
    path = tmp_path / "seen.jsonl"
    with Recorder(path) as recorder:
        around = Surroundings(
            clock=clock, stop=stop, heartbeat=pulse, audience=recorder, max_frames=2 * LONG_ENOUGH_FOR_A_LABEL - 5
        )
        service = Service(Config(), chain, camera, [sink, recorder], around)
        identity, thresholds = service.identity, thresholds_of(chain.parts.policy)
        recorder.begin(
            lambda: Header(
                schema=RECORDING_SCHEMA,
                device_id=identity.device_id,
                source=identity.source,
                live=True,
                boot_id=identity.boot_id,
                started_utc=clock.utc(),
                clock_synced=True,
                thresholds=thresholds,
                window_s=0.0,
                model=identity.model,
            )
        )
        service.run()

    again = [json.loads(message.to_json()) for message in replayed_events(load_recording(path), thresholds)]

    told = [json.loads(message.to_json()) for message in sink.messages if message.topic == "event"]
    # What the program says of its camera does not come from the policy, so no replay has it.
    faces = [event for event in told if event["event_type"] != "system"]
    assert next(event["end_reason"] for event in faces if event["event_type"] == "face_lost") == "lost"
    assert len(faces) == (4 if stop_while_gone else 8)
    assert [_comparable(event) for event in again] == [_comparable(event) for event in faces]


def _comparable(event: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in event.items() if key not in NOT_COMPARED}


def test_a_recording_begins_with_its_first_frame_however_long_the_source_took_to_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened_utc = []
    enter = Demo.__enter__

    def noted(demo: Demo) -> Demo:
        opened_utc.append(time.time())
        return enter(demo)

    monkeypatch.setattr(Demo, "__enter__", noted)
    config = Config(source=Source(uri="demo"), console=Console(enabled=False))
    record(config, tmp_path / "seen.jsonl", stop=threading.Event(), max_frames=1)

    assert load_recording(tmp_path / "seen.jsonl").header.started_utc > opened_utc[0]
