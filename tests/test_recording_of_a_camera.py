"""A recording of a camera that breaks replays to the same events, also where the run was stopped while it was gone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from edge_runtime.recording import RECORDING_SCHEMA, Header, Recorder, load_recording
from edge_runtime.replay import replayed_events
from edge_runtime.service import Service
from edge_runtime.settings import Config
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
            Header(
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
