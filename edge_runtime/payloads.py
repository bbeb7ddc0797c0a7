"""What leaves the device: one type per JSON payload. No field can hold a picture or an embedding."""

from __future__ import annotations

import datetime as dt
from typing import Final, Literal

import msgspec

EVENT_SCHEMA: Final = "emotion-edge.event/1"
OBSERVATION_SCHEMA: Final = "emotion-edge.observation/1"
STATUS_SCHEMA: Final = "emotion-edge.status/1"
STATE_SCHEMA: Final = "emotion-edge.state/1"
TELEMETRY_SCHEMA: Final = "emotion-edge.telemetry/1"

EventType = Literal["face_appeared", "emotion_started", "emotion_changed", "emotion_ended", "face_lost", "system"]
EndReason = Literal["lost", "changed", "uncertain", "shutdown", "paused"]
ServiceState = Literal["starting", "running", "degraded", "stopping"]
Topic = Literal["event", "observation", "status", "state", "telemetry"]


class Payload(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Fields that do not apply are absent; `schema` (the tag) is always there."""


class FacePayload(Payload, frozen=True, kw_only=True):
    """Where a face is, frame pixels."""

    box: tuple[float, float, float, float]
    """x0, y0, x1, y1."""
    size_px: float
    """Longer side of the box."""
    keypoints: dict[str, tuple[float, float]]
    """15 names: x, y."""


class ModelPayload(Payload, frozen=True, kw_only=True):
    """Which net answered."""

    name: str
    version: str
    sha256: str
    """Digest of the .tflite."""
    runtime: str
    """TFLite library and version."""
    accelerator: str
    """cpu or edgetpu..."""


class Event(Payload, frozen=True, kw_only=True, tag_field="schema", tag=EVENT_SCHEMA):
    """A change worth telling (emotion-edge.event/1)."""

    id: str
    """UUIDv7."""
    seq: int
    """Counts from 1 within one boot_id."""
    boot_id: str
    """UUID of this start of the process."""
    event_type: EventType
    device_id: str
    source: str
    time: str
    """RFC 3339 UTC with milliseconds."""
    monotonic_ns: int
    """Source time: the monotonic clock for cameras, the picture's own time for files."""
    clock_synced: bool
    track_id: int | None = None
    emotion: str | None = None
    previous: str | None = None
    """Label before a change."""
    confidence: float | None = None
    """Support of the label, 0..1."""
    scores: dict[str, float] | None = None
    """Smoothed calibrated shares of the five labels, sum 1."""
    uncertain_reason: str | None = None
    start_time: str | None = None
    end_time: str | None = None
    duration_s: float | None = None
    end_reason: EndReason | None = None
    message: str | None = None
    """system only: what happened, for a person."""
    face: FacePayload | None = None
    model: ModelPayload | None = None
    replayed: bool = False


class ObservedFace(Payload, frozen=True, kw_only=True):
    """One face of an observation."""

    track_id: int
    emotion: str
    """One of the five labels or `uncertain`."""
    confidence: float
    scores: dict[str, float]
    face: FacePayload
    uncertain_reason: str | None = None


class ObservationPayload(Payload, frozen=True, kw_only=True, tag_field="schema", tag=OBSERVATION_SCHEMA):
    """All faces of one processed frame (emotion-edge.observation/1)."""

    boot_id: str
    device_id: str
    source: str
    time: str
    frame: int
    captured_at: float
    """Source seconds."""
    width: int
    height: int
    faces: tuple[ObservedFace, ...]


class Status(Payload, frozen=True, kw_only=True, tag_field="schema", tag=STATUS_SCHEMA):
    """How the device is (emotion-edge.status/1, retained)."""

    device_id: str
    boot_id: str
    time: str
    state: ServiceState
    reasons: tuple[str, ...]
    camera: str
    """connecting, running, paused, lost or ended."""
    camera_reason: str | None = None
    """Of a lost camera: lost, missing, permission, stalled or frozen."""
    accelerator: str
    models: dict[str, str]
    """Kind: name and version."""
    versions: dict[str, str]


class State(Payload, frozen=True, kw_only=True, tag_field="schema", tag=STATE_SCHEMA):
    """What is seen now (emotion-edge.state/1, retained, on change and every minute)."""

    device_id: str
    time: str
    faces: int
    emotion: str | None = None
    """Of the primary face; absent when nobody is there."""
    confidence: float | None = None


class Telemetry(Payload, frozen=True, kw_only=True, tag_field="schema", tag=TELEMETRY_SCHEMA):
    """Figures about the device itself (emotion-edge.telemetry/1, every minute)."""

    device_id: str
    time: str
    uptime_s: float
    """Of the program, running time."""
    fps: float
    """Processed frames per second since the last telemetry."""
    frames_processed: int
    """Since the start."""
    frames_dropped: dict[str, int]
    """Since the start, by reason: newer_frame, slowed, damaged."""
    latency_ms: dict[str, float] | None = None
    """p50 and p95 since the last telemetry, from the capture of a frame to its answers; absent without frames."""
    limit_fps: float | None = None
    """Frames per second that are processed at most now; absent when all are."""
    temperature_c: float | None = None
    """Of the processor."""
    throttled: tuple[str, ...] | None = None
    """What the Raspberry Pi's firmware does now against heat and under-voltage; absent on other boards."""
    throttled_since_boot: tuple[str, ...] | None = None
    """What was seen of it since this start of the process; what went before it the kernel does not tell."""
    memory_mb: float | None = None
    """Resident memory of the program."""
    mqtt_connected: bool | None = None
    outbox_messages: int | None = None
    """Events that the broker has not acknowledged; absent without a broker."""
    outbox_oldest_age_s: float | None = None
    """How long the oldest of them has waited; absent without an outbox file."""


class OutMessage:
    """A payload on its way to the sinks; encoded once however many sinks there are."""

    __slots__ = ("_encoded", "durable", "payload", "schema", "topic")

    def __init__(self, topic: Topic, payload: Event | ObservationPayload | Status | State | Telemetry) -> None:
        """Wrap a payload; only events must not be lost."""
        self.topic: str = topic
        self.payload = payload
        self.schema = str(payload.__struct_config__.tag)
        self.durable = topic == "event"
        self._encoded: bytes | None = None

    def to_json(self) -> bytes:
        """Encode as one line without a line break."""
        if self._encoded is None:
            self._encoded = msgspec.json.encode(self.payload)
        return self._encoded


def rfc3339(utc: float) -> str:
    """Seconds since 1970 -> 2026-01-31T12:34:56.789Z."""
    moment = dt.datetime.fromtimestamp(utc, dt.timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
