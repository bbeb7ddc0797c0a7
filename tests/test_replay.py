"""A recording gives the changes of the run that made it, the same bytes every time, and other ones when asked."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import numpy as np
import pytest

from edge_runtime.contract import EMOTION_LABELS, KEYPOINT_COUNT
from edge_runtime.datatypes import Frame, Observation
from edge_runtime.errors import ConfigError, SinkError
from edge_runtime.payloads import Event, OutMessage
from edge_runtime.policy import Change, EventPolicy, Thresholds
from edge_runtime.recording import RECORDING_SCHEMA, Header, Recorder, RecordingError, load_recording
from edge_runtime.replay import replayed_changes, replayed_events, thresholds_from
from edge_runtime.schemas import load_schema
from edge_runtime.settings import Policy
from tests.faces import emotion, face, seen
from tests.samples import BOOT_ID, MODEL, status

THRESHOLDS = Thresholds(enter=0.6, exit=0.4, min_frames=2, min_time_s=0.1, hold_s=0.5)
NOT_COMPARED = {"id", "boot_id", "time", "start_time", "end_time"}
FRAME = Frame(0, 0.0, np.zeros((480, 640), np.uint8))


CAMERA_LOST = OutMessage("status", msgspec.structs.replace(status(), state="degraded", camera="lost"))


def header(thresholds: Thresholds = THRESHOLDS) -> Header:
    """Make the header of a recording of a file."""
    return Header(
        schema=RECORDING_SCHEMA,
        device_id="kiosk-1",
        source="clip.mp4",
        live=False,
        boot_id=BOOT_ID,
        started_utc=1_767_225_600.0,
        clock_synced=True,
        thresholds=thresholds,
        window_s=0.0,
        model=MODEL,
    )


def written(path: Path, *observations: Observation | None) -> Path:
    """Write a recording; None stands for a camera that was lost."""
    with Recorder(path) as recorder:
        recorder.begin(header)
        recorder.publish(OutMessage("status", status()))
        for observation in observations:
            if observation is None:
                recorder.publish(CAMERA_LOST)
            else:
                recorder.show(FRAME, observation)
    return path


def smiling(seconds: float, support: float = 0.9, start: float = 0.0) -> list[Observation]:
    """Observe a happy face ten times a second."""
    return [seen(start + step / 10, face(1, emotion("happy", support))) for step in range(round(seconds * 10))]


def told(changes: list[Change]) -> list[tuple[str, float, str | None]]:
    """Shorten changes for comparison."""
    return [(change.change_type, round(change.at, 3), change.emotion) for change in changes]


def edge(*arguments: str, repository: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `emotion-edge`."""
    return subprocess.run(
        [sys.executable, "-m", "edge_runtime", *arguments],
        env={**os.environ, "PYTHONPATH": str(repository), **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="module")
def demo(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[dict[str, Any]]]:
    """Record the demo once; returns the file, and the events that the recording run itself told."""
    path = tmp_path_factory.mktemp("demo") / "demo.jsonl"
    done = edge("record", "--source", "demo", str(path), repository=repository, EMOTION_EDGE_CONSOLE__FORMAT="json")
    assert done.returncode == 0, done.stderr[-3000:]
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return path, [line for line in lines if line["schema"] == "emotion-edge.event/1"]


def test_a_replay_gives_the_events_of_the_run_that_made_the_recording(
    demo: tuple[Path, list[dict[str, Any]]], repository: Path
) -> None:
    path, told_then = demo

    done = edge("replay", str(path), "--json", repository=repository)

    told_now = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(told_then) >= 6
    assert [_comparable(event) for event in told_now] == [_comparable(event) for event in told_then]


def test_a_replay_gives_the_same_bytes_twice(demo: tuple[Path, list[dict[str, Any]]], repository: Path) -> None:
    path, _ = demo

    first, second = (edge("replay", str(path), "--json", repository=repository) for _ in range(2))

    assert first.returncode == 0
    assert first.stdout
    assert first.stdout == second.stdout


def test_replayed_events_are_valid_and_other_thresholds_give_other_ids(
    demo: tuple[Path, list[dict[str, Any]]], repository: Path, tmp_path: Path
) -> None:
    path, _ = demo
    config = tmp_path / "config.toml"
    config.write_text("[policy]\nmin_time_s = 1.0\n", encoding="utf-8")

    usual, slower = (
        [
            json.loads(line)
            for line in edge("replay", str(path), "--json", *more, repository=repository).stdout.splitlines()
        ]
        for more in ([], ["--config", str(config)])
    )

    validator = jsonschema.Draft202012Validator(load_schema("event"))
    for event in usual + slower:
        validator.validate(event)
    started = [
        next(e["monotonic_ns"] for e in found if e["event_type"] == "emotion_started") for found in (usual, slower)
    ]
    assert started[1] > started[0]
    assert not {event["id"] for event in usual} & {event["id"] for event in slower}


def test_every_line_of_a_recording_is_valid(demo: tuple[Path, list[dict[str, Any]]]) -> None:
    path, _ = demo
    validator = jsonschema.Draft202012Validator(load_schema("recording"))

    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]

    assert len(lines) == 301
    for line in lines:
        validator.validate(line)


def test_the_schema_has_no_room_for_a_picture() -> None:
    schema = load_schema("recording")
    parts = schema["$defs"]["face"]["properties"]

    validator = jsonschema.Draft202012Validator(schema)

    validator.check_schema(schema)
    assert parts["keypoints"]["maxItems"] == KEYPOINT_COUNT
    assert parts["scores"]["maxItems"] == len(EMOTION_LABELS)
    frame = {"line": "frame", "frame": 0, "captured_at": 0.0, "width": 2, "height": 2, "faces": []}
    assert validator.is_valid(frame)
    assert not validator.is_valid(frame | {"pixels": [0, 0, 0, 0]})


def test_numbers_come_back_with_all_their_digits(tmp_path: Path) -> None:
    shown = seen(1 / 3, face(7, emotion("sad", 0.1 + 0.2), at=(10 / 3, 7 / 3)))

    (frame,) = load_recording(written(tmp_path / "r.jsonl", shown)).frames

    back, before = frame.observation(enter=0.0).faces[0], shown.faces[0]
    assert frame.captured_at == 1 / 3
    assert (back.emotion, back.box) == (before.emotion, before.box)
    np.testing.assert_array_equal(back.keypoints.points, before.keypoints.points)


def test_a_replay_follows_the_policy_of_the_run(tmp_path: Path) -> None:
    observations = [*smiling(2.0), *smiling(1.0, 0.2, start=2.0), seen(3.0)]
    policy = EventPolicy(THRESHOLDS)
    # At a support of 0.2 the pipeline itself would have said low_confidence; the policy asks for the support anyway.
    expected = [change for observation in observations for change in policy.update(observation)]

    found = list(replayed_changes(load_recording(written(tmp_path / "r.jsonl", *observations)), THRESHOLDS))

    assert [change.change_type for change in found] == [
        "face_appeared",
        "emotion_started",
        "emotion_ended",
        "face_lost",
    ]
    assert told(found) == told(expected)


def test_a_lower_enter_takes_back_low_confidence_and_no_other_reason(tmp_path: Path) -> None:
    weak = [seen(step / 10, face(1, emotion("happy", 0.5, "low_confidence"))) for step in range(10)]
    turned = [seen(1 + step / 10, face(2, emotion("happy", 0.5, "pose"))) for step in range(10)]
    recording = load_recording(written(tmp_path / "r.jsonl", *weak, *turned))

    lower = list(replayed_changes(recording, Thresholds(0.4, 0.3, 2, 0.1, 0.5)))

    assert [change.track_id for change in lower if change.change_type == "emotion_started"] == [1]


def test_a_lost_camera_ends_everything_that_was_seen(tmp_path: Path) -> None:
    recording = load_recording(written(tmp_path / "r.jsonl", *smiling(1.0), None, *smiling(1.0, start=60.0)))

    found = list(replayed_changes(recording, THRESHOLDS))

    ends = [(round(change.at, 3), change.end_reason) for change in found if change.change_type == "face_lost"]
    assert ends == [(0.9, "lost"), (60.9, "shutdown")]


def test_a_stop_while_the_camera_is_gone_ends_nothing_twice(tmp_path: Path) -> None:
    recording = load_recording(written(tmp_path / "r.jsonl", *smiling(1.0), None))

    found = list(replayed_changes(recording, THRESHOLDS))

    assert [change.end_reason for change in found if change.end_reason] == ["lost", "lost"]


def test_times_of_replayed_events_are_those_of_the_recording(tmp_path: Path) -> None:
    recording = load_recording(written(tmp_path / "r.jsonl", *smiling(1.0)))

    appeared, started, *_ = [message.payload for message in replayed_events(recording, THRESHOLDS)]

    assert isinstance(appeared, Event)
    assert isinstance(started, Event)
    assert (appeared.time, started.time) == ("2026-01-01T00:00:00.000Z", "2026-01-01T00:00:00.100Z")


def test_a_torn_last_line_is_left_out(tmp_path: Path) -> None:
    path = written(tmp_path / "r.jsonl", *smiling(1.0))
    path.write_bytes(path.read_bytes()[:-40])

    recording = load_recording(path)

    assert len(recording.frames) == 9


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"r.jsonl:1: expected the header"),
        (b'{"schema":"emotion-edge.event/1","id":"1"}\n', r"r.jsonl:1: no line of emotion-edge.recording/1"),
        (b'{"line":"frame","frame":0,"captured_at":0.0,"width":1,"height":1,"faces":[]}\n', "expected the header"),
    ],
)
def test_what_is_no_recording_is_refused(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    path.write_bytes(content)

    with pytest.raises(RecordingError, match=message):
        load_recording(path)


def test_a_recording_without_a_frame_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "r.jsonl")

    with pytest.raises(RecordingError, match="holds no frame"):
        load_recording(path)


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    path = written(tmp_path / "r.jsonl", *smiling(1.0))
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:4], b"{half\n", *lines[5:]]))

    with pytest.raises(RecordingError, match=r"r.jsonl:5: no line"):
        load_recording(path)


def test_an_older_recording_stays_until_the_first_frame_comes(tmp_path: Path) -> None:
    older = written(tmp_path / "r.jsonl", *smiling(1.0)).read_bytes()

    without = written(tmp_path / "r.jsonl", None).read_bytes()
    replaced = load_recording(written(tmp_path / "r.jsonl", *smiling(0.1)))

    assert without == older
    assert 0 < len(replaced.frames) < len(older.splitlines()) - 1


def test_a_recording_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    with pytest.raises(SinkError, match="cannot write the recording"), Recorder(tmp_path / "missing" / "r.jsonl"):
        pass


def test_a_configuration_replaces_what_it_sets_and_keeps_the_recorded_support() -> None:
    found = thresholds_from(Policy(hold_s=2.0), THRESHOLDS)

    assert (found.enter, found.exit, found.hold_s) == (0.6, 0.4, 2.0)
    with pytest.raises(ConfigError, match=r"policy\.exit = 0\.9"):
        thresholds_from(Policy(exit=0.9), THRESHOLDS)


def _comparable(event: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in event.items() if key not in NOT_COMPARED}
