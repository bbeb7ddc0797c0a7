"""One plausible payload of every kind, for tests that send, store or check payloads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

import msgspec

from edge_runtime.contract import EMOTION_LABELS, KEYPOINT_NAMES
from edge_runtime.payloads import (
    Event,
    EventType,
    FacePayload,
    ModelPayload,
    ObservationPayload,
    ObservedFace,
    OutMessage,
    State,
    Status,
    Telemetry,
)

BOOT_ID = "0f9d7a52-1c3b-4e8f-9a76-2b1d4c5e6f70"
START, END = "2026-01-01T00:00:10.000Z", "2026-01-01T00:00:12.480Z"
SCORES = dict(zip(EMOTION_LABELS, (0.02, 0.01, 0.01, 0.05, 0.91), strict=True))

FACE = FacePayload(
    box=(100.0, 80.0, 180.0, 190.0),
    size_px=110.0,
    keypoints={name: (110.5 + row, 120.25 + row) for row, name in enumerate(KEYPOINT_NAMES)},
)
MODEL = ModelPayload(name="emotion", version="1.0.0", sha256="ab" * 32, runtime="litert 2.1.0", accelerator="cpu")

_READ: dict[str, Any] = {"confidence": 0.91, "scores": SCORES, "face": FACE, "model": MODEL}
_SPAN: dict[str, Any] = {"start_time": START, "end_time": END, "duration_s": 2.48}
_OF_TYPE: dict[str, dict[str, Any]] = {
    "face_appeared": {"track_id": 3, "face": FACE},
    "emotion_started": {"track_id": 3, "emotion": "surprise", **_READ},
    "emotion_changed": {
        "track_id": 3,
        "emotion": "happy",
        "previous": "surprise",
        "end_reason": "changed",
        **_READ,
        **_SPAN,
    },
    "emotion_ended": {"track_id": 3, "emotion": "happy", "end_reason": "lost", **_READ, **_SPAN},
    "face_lost": {"track_id": 3, "face": FACE, "end_reason": "lost", **_SPAN},
    "system": {"message": "camera:0 gone, retry in 1.0 s"},
}


def event(event_type: EventType = "emotion_started", *, seq: int = 1, **fields: Any) -> Event:  # noqa: ANN401
    """Build one event of a type; `fields` replace or add."""
    base = Event(
        id=f"019b76da-a800-7000-8000-{seq:012x}",
        seq=seq,
        boot_id=BOOT_ID,
        event_type=event_type,
        device_id="kiosk-1",
        source="demo",
        time="2026-01-01T00:00:12.480Z",
        monotonic_ns=12_480_000_000,
        clock_synced=True,
        **_OF_TYPE[event_type],
    )
    return msgspec.structs.replace(base, **fields)


def events() -> list[Event]:
    """One event of every type."""
    return [event(event_type, seq=seq) for seq, event_type in enumerate(get_args(EventType), start=1)]


def observation(*, faces: int = 1, frame: int = 7) -> ObservationPayload:
    """Build what one frame with some faces gives."""
    face = ObservedFace(track_id=3, emotion="surprise", confidence=0.91, scores=SCORES, face=FACE)
    return ObservationPayload(
        boot_id=BOOT_ID,
        device_id="kiosk-1",
        source="demo",
        time=END,
        frame=frame,
        captured_at=12.48,
        width=640,
        height=480,
        faces=(face,) * faces,
    )


def status() -> Status:
    """Build a status of a running device."""
    return Status(
        device_id="kiosk-1",
        boot_id=BOOT_ID,
        time=END,
        state="running",
        reasons=(),
        camera="running",
        accelerator="cpu",
        models={"emotion": "emotion 1.0.0", "keypoints": "keypoints 1.0.0"},
        versions={"emotion-edge": "0.1.0"},
    )


def state(*, faces: int = 1) -> State:
    """Build what is seen now."""
    if faces == 0:
        return State(device_id="kiosk-1", time=END, faces=0)
    return State(device_id="kiosk-1", time=END, faces=faces, emotion="surprise", confidence=0.91)


def telemetry() -> Telemetry:
    """Build the figures of a hot Raspberry Pi with an outbox."""
    return Telemetry(
        device_id="kiosk-1",
        time=END,
        uptime_s=3600.0,
        fps=9.8,
        frames_processed=35_280,
        frames_dropped={"newer_frame": 12, "slowed": 4000, "damaged": 1},
        latency_ms={"p50": 48.1, "p95": 71.9},
        limit_fps=10.0,
        temperature_c=79.4,
        throttled=("frequency_capped",),
        throttled_since_boot=("frequency_capped", "throttled"),
        memory_mb=143.2,
        mqtt_connected=True,
        outbox_messages=3,
        outbox_oldest_age_s=1.5,
    )


def messages() -> Iterator[OutMessage]:
    """Wrap one payload of every kind as sinks take them."""
    for found in events():
        yield OutMessage("event", found)
    yield OutMessage("observation", observation())
    yield OutMessage("observation", observation(faces=0))
    yield OutMessage("status", status())
    yield OutMessage("state", state())
    yield OutMessage("state", state(faces=0))
    yield OutMessage("telemetry", telemetry())


def event_message(seq: int = 1) -> OutMessage:
    """Wrap one event as sinks take it."""
    return OutMessage("event", event(seq=seq))
