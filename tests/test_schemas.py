"""The schemas, the types that are encoded, the contract and docs/events.md say the same."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from types import UnionType
from typing import Any, get_args, get_type_hints

import jsonschema
import msgspec
import pytest

from edge_runtime.commands import CommandResult, Proof
from edge_runtime.contract import EMOTION_LABELS, KEYPOINT_NAMES, UncertainReason
from edge_runtime.errors import UsageError
from edge_runtime.events import EventWriter, Identity
from edge_runtime.payloads import (
    EndReason,
    Event,
    EventType,
    FacePayload,
    ModelPayload,
    ObservationPayload,
    ObservedFace,
    OutMessage,
    Payload,
    State,
    Status,
    Telemetry,
)
from edge_runtime.policy import Change
from edge_runtime.schemas import SCHEMA_NAMES, load_schema
from edge_runtime.testing import ManualClock
from tests.faces import emotion, face
from tests.samples import MODEL, SCORES, event, messages, observation, state
from tests.source_tree import ROOT

TYPES: dict[str, type[Payload]] = {
    "event": Event,
    "observation": ObservationPayload,
    "status": Status,
    "state": State,
    "telemetry": Telemetry,
    "command_result": CommandResult,
}
PARTS: list[tuple[str, str, type[Payload]]] = [
    ("event", "face", FacePayload),
    ("event", "model", ModelPayload),
    ("observation", "face", FacePayload),
    ("observation", "observed_face", ObservedFace),
    ("command_result", "proof", Proof),
]
RECORDS = ({"$ref": "#/$defs/observed_face"}, {"$ref": "#/$defs/proof"})
JSON_KINDS = {int: "integer", str: "string", bool: "boolean", float: "number"}


def validator(name: str) -> jsonschema.Draft202012Validator:
    """Return the check of one payload."""
    return jsonschema.Draft202012Validator(load_schema(name))


def as_json(payload: Payload) -> dict[str, Any]:
    """Return a payload as a receiver parses it."""
    decoded: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(payload))
    return decoded


@pytest.mark.parametrize("name", SCHEMA_NAMES)
def test_a_schema_is_valid_and_closed(name: str) -> None:
    schema = load_schema(name)

    jsonschema.Draft202012Validator.check_schema(schema)

    objects = [schema, *(part for part in schema.get("$defs", {}).values() if part["type"] == "object")]
    assert all(part["additionalProperties"] is False for part in objects)
    assert schema["properties"]["schema"]["const"] == TYPES[name].__struct_config__.tag


def test_an_unknown_schema_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match="no schema 'frame'; there are event, observation, status, state, telemetry"):
        load_schema("frame")


@pytest.mark.parametrize("name", SCHEMA_NAMES)
def test_schema_and_type_have_the_same_fields(name: str) -> None:
    schema = load_schema(name)

    _assert_fields_agree(schema, TYPES[name], always={"schema"})


@pytest.mark.parametrize(("name", "part", "kind"), PARTS)
def test_parts_and_their_types_have_the_same_fields(name: str, part: str, kind: type[Payload]) -> None:
    _assert_fields_agree(load_schema(name)["$defs"][part], kind, always=set())


def test_names_in_schemas_are_the_contracts() -> None:
    schema = load_schema("event")
    observed = load_schema("observation")["$defs"]["observed_face"]["properties"]

    assert schema["$defs"]["scores"]["required"] == list(EMOTION_LABELS)
    assert schema["$defs"]["face"]["properties"]["keypoints"]["required"] == list(KEYPOINT_NAMES)
    assert list(schema["$defs"]["face"]["properties"]["keypoints"]["properties"]) == list(KEYPOINT_NAMES)
    assert schema["properties"]["emotion"]["enum"] == list(EMOTION_LABELS)
    assert schema["properties"]["event_type"]["enum"] == list(get_args(EventType))
    assert schema["properties"]["end_reason"]["enum"] == list(get_args(EndReason))
    assert observed["emotion"]["enum"] == [*EMOTION_LABELS, "uncertain"]
    assert observed["uncertain_reason"]["enum"] == list(get_args(UncertainReason))


def test_parts_that_two_schemas_share_are_the_same() -> None:
    event_parts, observation_parts = (load_schema(name)["$defs"] for name in ("event", "observation"))

    assert {part: event_parts[part] for part in ("face", "point", "scores")} == {
        part: observation_parts[part] for part in ("face", "point", "scores")
    }


def test_every_sample_is_valid() -> None:
    for message in messages():
        validator(message.topic).validate(msgspec.json.decode(message.to_json()))


def test_what_the_event_writer_writes_is_valid() -> None:
    writer = EventWriter(Identity("kiosk-1", "demo", ManualClock().uuid4(), MODEL), ManualClock())
    unsure = face(3, emotion("sad", 0.3, "pose"))
    ended = Change("emotion_ended", 11.0, 3, unsure, emotion="sad", started_at=3.0, end_reason="uncertain")
    change = Change("face_lost", 12.0, 3, None, started_at=2.0, end_reason="lost")

    written = [writer.system("camera:0 gone", 1.5), writer.event(ended), writer.event(change)]

    *complete, lost = (msgspec.json.decode(message.to_json()) for message in written)
    for payload in complete:
        validator("event").validate(payload)
    # The face is all that is missing: this change was made without one.
    assert [error.message for error in validator("event").iter_errors(lost)] == ["'face' is a required property"]


@pytest.mark.parametrize("event_type", get_args(EventType))
def test_a_field_of_another_event_type_is_refused(event_type: EventType) -> None:
    other = {"message": "text"} if event_type != "system" else {"track_id": 3}

    payload = as_json(event(event_type)) | other

    assert not validator("event").is_valid(payload)


@pytest.mark.parametrize(
    ("event_type", "needed"),
    [
        ("face_appeared", {"track_id", "face"}),
        ("emotion_started", {"track_id", "emotion", "confidence", "scores", "face", "model"}),
        ("emotion_changed", {"emotion", "previous", "start_time", "end_time", "duration_s", "end_reason", "model"}),
        ("emotion_ended", {"emotion", "start_time", "end_time", "duration_s", "end_reason"}),
        ("face_lost", {"track_id", "start_time", "end_time", "duration_s", "end_reason", "face"}),
        ("system", {"message"}),
    ],
)
def test_what_an_event_type_needs_must_be_there(event_type: EventType, needed: set[str]) -> None:
    whole = as_json(event(event_type))

    missing = {field for field in needed if validator("event").is_valid({k: v for k, v in whole.items() if k != field})}

    assert validator("event").is_valid(whole)
    assert not missing


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": "019b76da-a800-4000-8000-000000000001"},
        {"seq": 0},
        {"time": "2026-01-01T00:00:12.480+01:00"},
        {"device_id": "a/b"},
        {"emotion": "neutral"},
        {"confidence": 1.01},
        {"scores": dict.fromkeys(EMOTION_LABELS[:-1], 0.2)},
        {"scores": SCORES | {"neutral": 0.0}},
        {"picture": "aGVsbG8="},
    ],
)
def test_wrong_values_are_refused(wrong: dict[str, Any]) -> None:
    payload = as_json(event("emotion_started")) | wrong

    assert not validator("event").is_valid(payload)


def test_a_face_without_an_answer_says_why() -> None:
    payload = as_json(observation())
    face = payload["faces"][0]

    assert not validator("observation").is_valid(payload | {"faces": [face | {"emotion": "uncertain"}]})
    assert not validator("observation").is_valid(payload | {"faces": [face | {"uncertain_reason": "pose"}]})
    assert validator("observation").is_valid(
        payload | {"faces": [face | {"emotion": "uncertain", "uncertain_reason": "pose"}]}
    )


def test_a_state_has_an_emotion_exactly_when_somebody_is_there() -> None:
    assert not validator("state").is_valid(as_json(state(faces=0)) | {"emotion": "happy", "confidence": 0.9})
    assert not validator("state").is_valid(as_json(state()) | {"faces": 0})
    assert not validator("state").is_valid(as_json(state(faces=0)) | {"faces": 1})


@pytest.mark.parametrize("name", SCHEMA_NAMES)
def test_no_field_can_hold_a_picture_or_an_embedding(name: str) -> None:
    arrays = [part for part in _parts(load_schema(name)) if part.get("type") == "array"]

    # Every list of numbers has a fixed, small length; lists without end hold faces or sentences.
    for array in arrays:
        assert array["items"] in (False, {"type": "string"}, *RECORDS)
        assert array["items"] is not False or len(array["prefixItems"]) <= 4


def test_a_message_names_its_schema() -> None:
    assert OutMessage("event", event()).schema == load_schema("event")["properties"]["schema"]["const"]


def test_the_page_about_events_is_up_to_date() -> None:
    command = [sys.executable, "scripts/write_events_page.py", "--check"]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 0, done.stderr


def _assert_fields_agree(schema: dict[str, Any], kind: type[Payload], *, always: set[str]) -> None:
    fields = {field.name: field for field in msgspec.structs.fields(kind)}
    hints = get_type_hints(kind)
    assert set(schema["properties"]) == always | set(fields)
    assert set(schema["required"]) == always | {name for name, field in fields.items() if field.required}
    for name, part in schema["properties"].items():
        hint = hints.get(name)
        plain = next((option for option in get_args(hint) if option in JSON_KINDS), None)
        kind_of_value = hint if hint in JSON_KINDS else plain if isinstance(hint, UnionType) else None
        if kind_of_value and "type" in part:
            assert part["type"] == JSON_KINDS[kind_of_value], name


def _parts(schema: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401  JSON
    if isinstance(schema, dict):
        yield schema
        for part in schema.values():
            yield from _parts(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from _parts(part)
