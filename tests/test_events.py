"""What payloads say of changes and observations: identities, times, rounded numbers, absent fields."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from edge_runtime.contract import EMOTION_LABELS, KEYPOINT_NAMES, UncertainReason
from edge_runtime.events import EventWriter, Identity
from edge_runtime.interfaces import Message
from edge_runtime.payloads import EndReason, rfc3339
from edge_runtime.policy import Change
from edge_runtime.testing import ManualClock
from tests.faces import FACE_IN_CROP, emotion, face, seen
from tests.samples import MODEL

UTC = 1_767_225_600.0  # 2026-01-01T00:00:00Z
FACE = face(3, emotion("happy", 0.87654321), at=(100.0, 50.0))


@pytest.fixture
def clock() -> ManualClock:
    """Stand at the beginning of 2026."""
    return ManualClock(utc=UTC)


@pytest.fixture
def writer(clock: ManualClock) -> EventWriter:
    """Write for one device."""
    return EventWriter(Identity("kiosk-1", "camera:0", "boot", MODEL), clock)


def read(message: Message) -> dict[str, Any]:
    """Return a payload as a receiver parses it."""
    payload: dict[str, Any] = json.loads(message.to_json())
    return payload


@pytest.mark.parametrize(
    ("utc", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (UTC, "2026-01-01T00:00:00.000Z"),
        (UTC + 0.0625, "2026-01-01T00:00:00.062Z"),
        (UTC + 0.9999, "2026-01-01T00:00:00.999Z"),
        (UTC - 1, "2025-12-31T23:59:59.000Z"),
    ],
)
def test_times_are_utc_with_milliseconds(utc: float, text: str) -> None:
    assert rfc3339(utc) == text


def test_events_are_numbered_from_1_and_have_their_own_identity(writer: EventWriter, clock: ManualClock) -> None:
    first = read(writer.system("one", 1.5))
    clock.advance(2.0)
    second = read(writer.event(Change("face_appeared", 3.5, 3, FACE)))

    assert (first["seq"], second["seq"]) == (1, 2)
    assert first["id"] < second["id"]
    assert {first["boot_id"], second["boot_id"]} == {"boot"}
    assert (first["time"], second["time"]) == ("2026-01-01T00:00:00.000Z", "2026-01-01T00:00:02.000Z")
    assert (first["monotonic_ns"], second["monotonic_ns"]) == (1_500_000_000, 3_500_000_000)
    assert first["clock_synced"] is True


def test_an_unset_clock_is_told(writer: EventWriter, clock: ManualClock) -> None:
    clock.is_synchronized = False

    assert read(writer.system("x", 0.0))["clock_synced"] is False


def test_a_start_says_what_is_shown_and_by_which_net(writer: EventWriter) -> None:
    found = read(writer.event(Change("emotion_started", 12.0, 3, FACE, emotion="happy")))

    assert (found["event_type"], found["track_id"], found["emotion"]) == ("emotion_started", 3, "happy")
    assert found["confidence"] == 0.8765
    assert found["scores"] == {label: 0.8 if label == "happy" else 0.05 for label in EMOTION_LABELS}
    assert found["model"] == json.loads(json.dumps({field: getattr(MODEL, field) for field in MODEL.__struct_fields__}))
    assert not {"previous", "start_time", "end_time", "duration_s", "end_reason", "message", "replayed"} & set(found)


def test_an_end_says_how_long_it_lasted(writer: EventWriter, clock: ManualClock) -> None:
    clock.advance(10.0)
    change = Change("emotion_ended", 12.5, 3, FACE, emotion="happy", started_at=10.02, end_reason="uncertain")

    found = read(writer.event(change))

    assert found["duration_s"] == 2.48
    assert found["end_time"] == found["time"] == "2026-01-01T00:00:10.000Z"
    assert found["start_time"] == "2026-01-01T00:00:07.520Z"
    assert found["end_reason"] == "uncertain"


@pytest.mark.parametrize(
    ("end_reason", "reason", "told"),
    [
        ("uncertain", "pose", "pose"),
        ("uncertain", "low_confidence", "low_confidence"),
        ("uncertain", None, None),  # another label led, but did not start
        ("lost", "blurred", None),
        ("shutdown", "blurred", None),
    ],
)
def test_an_end_by_uncertainty_says_why(
    writer: EventWriter, end_reason: EndReason, reason: UncertainReason | None, told: str | None
) -> None:
    shown = face(3, emotion("happy", 0.3, reason))
    change = Change("emotion_ended", 12.5, 3, shown, emotion="happy", started_at=10.0, end_reason=end_reason)

    found = read(writer.event(change))

    assert found.get("uncertain_reason") == told


def test_a_change_names_the_label_before(writer: EventWriter) -> None:
    change = Change(
        "emotion_changed", 5.0, 3, FACE, emotion="happy", previous="sad", started_at=1.0, end_reason="changed"
    )

    found = read(writer.event(change))

    assert (found["emotion"], found["previous"], found["duration_s"]) == ("happy", "sad", 4.0)


@pytest.mark.parametrize("kind", ["face_appeared", "face_lost"])
def test_coming_and_going_carry_no_scores(writer: EventWriter, kind: Any) -> None:  # noqa: ANN401
    found = read(writer.event(Change(kind, 5.0, 3, FACE)))

    assert not {"emotion", "confidence", "scores", "model"} & set(found)
    assert found["face"]["size_px"] == 108.0


def test_a_face_is_told_in_frame_pixels(writer: EventWriter) -> None:
    found = read(writer.event(Change("face_appeared", 5.0, 3, FACE)))["face"]

    # The tight box of the face at (100, 50): (48 - 40.5, 48.8 - 54) and (48 + 40.5, 48.8 + 54) in the crop.
    assert found["box"] == [107.5, 44.8, 188.5, 152.8]
    assert list(found["keypoints"]) == list(KEYPOINT_NAMES)
    assert found["keypoints"]["nose_tip"] == [148.0, 107.0]
    assert found["keypoints"]["left_eye_center"] == [166.0, 87.0]


def test_an_event_about_the_device_has_a_message_only(writer: EventWriter) -> None:
    found = read(writer.system("camera:0 gone", 1.0))

    assert (found["event_type"], found["message"]) == ("system", "camera:0 gone")
    assert not {"track_id", "face", "emotion", "model"} & set(found)


def test_an_observation_tells_every_face(writer: EventWriter) -> None:
    unsure = face(4, emotion("sad", 0.41236, "pose"))

    found = read(writer.observation(seen(1.23456, FACE, unsure, frame_index=31)))

    assert (found["frame"], found["captured_at"], found["width"], found["height"]) == (31, 1.2346, 640, 480)
    assert [one["track_id"] for one in found["faces"]] == [3, 4]
    assert found["faces"][0]["emotion"] == "happy"
    assert "uncertain_reason" not in found["faces"][0]
    assert (found["faces"][1]["emotion"], found["faces"][1]["uncertain_reason"]) == ("uncertain", "pose")
    assert found["faces"][1]["confidence"] == 0.4124


def test_an_observation_of_nobody_says_so(writer: EventWriter) -> None:
    assert read(writer.observation(seen(2.0)))["faces"] == []


def test_the_state_is_that_of_the_primary_face(writer: EventWriter) -> None:
    large = type(FACE)(9, FACE.box.scaled(2), FACE.keypoints, emotion("surprise", 0.7))

    found = read(writer.state(seen(2.0, FACE, large)))

    assert (found["faces"], found["emotion"], found["confidence"]) == (2, "surprise", 0.7)


def test_the_state_of_an_empty_frame_has_no_emotion(writer: EventWriter) -> None:
    found = read(writer.state(seen(2.0)))

    assert found["faces"] == 0
    assert not {"emotion", "confidence"} & set(found)


def test_observations_and_states_take_no_number_from_events(writer: EventWriter) -> None:
    writer.observation(seen(0.0, FACE))
    writer.state(seen(0.0, FACE))

    assert read(writer.system("first", 0.0))["seq"] == 1


def test_every_line_is_one_line_of_json_with_its_schema(writer: EventWriter) -> None:
    messages = [
        writer.system("a message\nof two lines", 0.0),
        writer.event(Change("face_appeared", 5.0, 3, FACE)),
        writer.observation(seen(0.0, FACE)),
        writer.state(seen(0.0, FACE)),
    ]

    assert all(b"\n" not in message.to_json() for message in messages)
    assert [read(message)["schema"] == message.schema for message in messages] == [True] * 4
    assert [message.durable for message in messages] == [True, True, False, False]


def test_scores_are_rounded_but_still_sum_to_one(writer: EventWriter) -> None:
    thirds = type(FACE.emotion)((1 / 3, 1 / 3, 1 / 6, 1 / 12, 1 / 12), 1 / 3, None)
    shown = type(FACE)(3, FACE.box, FACE.keypoints, thirds)

    scores = read(writer.event(Change("emotion_started", 1.0, 3, shown, emotion="angry")))["scores"]

    assert math.fsum(scores.values()) == pytest.approx(1.0, abs=5 * 0.00005)
    assert scores["angry"] == 0.3333


def test_what_was_written_does_not_change_with_the_face(writer: EventWriter) -> None:
    message = writer.event(Change("face_appeared", 5.0, 3, FACE))

    assert message.to_json() is message.to_json()
    assert FACE_IN_CROP[10].tolist() == [48, 57]
