"""What the page is told, as JSON: once at the start, after every frame, and how the device is."""

from __future__ import annotations

import msgspec

from edge_runtime.contract import EMOTION_LABELS, KEYPOINT_NAMES
from edge_runtime.datatypes import Face, Observation
from edge_runtime.web.notice import Notice


class Moment(msgspec.Struct, frozen=True):
    """The primary face's answer from some time on, until the next moment."""

    age_s: float
    """How long ago it began."""
    label: str | None
    """One of the five, `uncertain`, or null: nobody there."""


class Hello(msgspec.Struct, frozen=True, kw_only=True):
    """What does not change while the program runs, and the timeline so far."""

    version: str
    labels: tuple[str, ...] = EMOTION_LABELS
    keypoints: tuple[str, ...] = KEYPOINT_NAMES
    picture: bool
    mirror: bool
    kiosk: bool
    consent_needed: bool
    notice: Notice
    timeline: tuple[Moment, ...]


class SeenFace(msgspec.Struct, frozen=True, kw_only=True):
    """One face of a frame."""

    id: int
    box: tuple[float, ...]
    """x0, y0, x1, y1 in frame pixels."""
    points: tuple[tuple[float, float], ...]
    """In the order of Hello.keypoints, frame pixels."""
    label: str
    leading: str
    """The label with the largest score, also when the answer is uncertain."""
    confidence: float
    scores: tuple[float, ...]
    """In the order of Hello.labels, sum 1."""
    reason: str | None


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """One processed frame; the largest face first."""

    width: int
    height: int
    faces: tuple[SeenFace, ...]
    fps: float
    latency_ms: float


class Condition(msgspec.Struct, frozen=True, kw_only=True):
    """How the device is, sent when it changes and every two seconds."""

    device_id: str
    state: str
    """starting, running, degraded, stopping, or stalled."""
    reasons: tuple[str, ...]
    camera: str
    broker: str
    """off, connected or away."""
    broker_problem: str | None
    accelerator: str
    models: dict[str, str]
    consent: bool
    """Whether frames may be processed."""


def seen_message(seen: Observation, *, fps: float, latency_s: float) -> Seen:
    """Round what a frame gave to what a screen can show."""
    faces = sorted(seen.faces, key=lambda face: -face.box.area)
    return Seen(
        width=seen.width,
        height=seen.height,
        faces=tuple(_face(face) for face in faces),
        fps=round(fps, 1),
        latency_ms=round(1000 * latency_s, 1),
    )


def _face(face: Face) -> SeenFace:
    box, emotion = face.box, face.emotion
    return SeenFace(
        id=face.track_id,
        box=tuple(round(float(edge), 1) for edge in (box.x0, box.y0, box.x1, box.y1)),
        points=tuple((round(x, 1), round(y, 1)) for x, y in face.keypoints.points.tolist()),
        label=emotion.label,
        leading=emotion.leading,
        confidence=round(emotion.support, 3),
        scores=tuple(round(score, 3) for score in emotion.scores),
        reason=emotion.uncertain_reason,
    )
