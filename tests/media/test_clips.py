"""The main job on real clips: the program as a user starts it, its log and its messages."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from edge_runtime.contract import EMOTION_LABELS, KEYPOINT_NAMES
from edge_runtime.schemas import load_schema
from tests.broker import Listener, Mosquitto, broker

__all__ = ["broker"]

pytestmark = [pytest.mark.media, pytest.mark.slow]

EXPRESSIONS = ("expressions_man_a", "expressions_man_b", "expressions_woman_a")
NOBODY = ("no_face_bottles", "no_face_title")
PATIENCE_S = 240.0


def emotion_edge(*arguments: str) -> str:
    """Run the program; return its standard output."""
    done = subprocess.run(
        [sys.executable, "-m", "edge_runtime", "run", *arguments],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def records(path: Path) -> list[dict[str, Any]]:
    """Read a JSON lines file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def of(kind: str, written: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Choose the records of one schema."""
    return [record for record in written if record["schema"] == f"emotion-edge.{kind}/1"]


@pytest.mark.parametrize("clip", EXPRESSIONS)
def test_a_face_that_shows_something_gives_events_and_observations(clip: str, media_dir: Path, tmp_path: Path) -> None:
    log = tmp_path / "e.jsonl"

    emotion_edge("--source", str(media_dir / "clips" / f"{clip}.mp4"), "--log-file", str(log), "--quiet")

    written = records(log)
    types = [event["event_type"] for event in of("event", written)]
    assert types.count("face_appeared") >= 1
    assert types.count("emotion_started") >= 1
    assert types.count("emotion_started") == types.count("emotion_ended")
    assert types.count("face_appeared") == types.count("face_lost")
    faces = [face for seen in of("observation", written) for face in seen["faces"]]
    assert faces
    for face in faces:
        assert tuple(face["face"]["keypoints"]) == KEYPOINT_NAMES
        assert tuple(face["scores"]) == EMOTION_LABELS


@pytest.mark.parametrize("clip", EXPRESSIONS)
def test_everything_that_is_written_is_valid(clip: str, media_dir: Path, tmp_path: Path) -> None:
    log = tmp_path / "e.jsonl"
    validators = {
        f"emotion-edge.{name}/1": Draft202012Validator(load_schema(name))
        for name in ("event", "observation", "state", "status")
    }

    emotion_edge("--source", str(media_dir / "clips" / f"{clip}.mp4"), "--log-file", str(log), "--max-frames", "120")

    for record in records(log):
        validators[record["schema"]].validate(record)


@pytest.mark.parametrize("clip", NOBODY)
def test_a_clip_without_people_gives_no_face_event(clip: str, media_dir: Path, tmp_path: Path) -> None:
    log = tmp_path / "e.jsonl"

    emotion_edge("--source", str(media_dir / "clips" / f"{clip}.mp4"), "--log-file", str(log))

    assert of("event", records(log)) == []
    assert all(seen["faces"] == [] for seen in of("observation", records(log)))


@pytest.mark.broker
def test_the_broker_gets_the_events_that_the_log_holds(media_dir: Path, tmp_path: Path, broker: Mosquitto) -> None:
    log = tmp_path / "e.jsonl"
    clip = media_dir / "clips" / "expressions_man_a.mp4"

    with Listener(broker.port) as listener:
        emotion_edge("--source", str(clip), "--log-file", str(log), "--mqtt", f"127.0.0.1:{broker.port}")
        logged = of("event", records(log))
        delivered = [json.loads(message.payload) for message in listener.take(len(logged), "/event")]

    assert delivered == logged


def test_a_file_gives_the_same_events_twice_but_for_ids_and_times(media_dir: Path) -> None:
    clip = str(media_dir / "clips" / "expressions_man_a.mp4")

    first, second = (emotion_edge("--source", clip) for _ in range(2))

    assert "surprise started" in first
    assert first == second
