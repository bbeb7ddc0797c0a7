"""Writes payloads: gives changes and observations their identity, their times and their model."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace

import msgspec

from edge_runtime.contract import EMOTION_LABELS
from edge_runtime.datatypes import Face, Observation
from edge_runtime.geometry import Box
from edge_runtime.interfaces import Clock
from edge_runtime.payloads import (
    Event,
    EventType,
    FacePayload,
    ModelPayload,
    ObservationPayload,
    ObservedFace,
    OutMessage,
    State,
    rfc3339,
)
from edge_runtime.policy import Change

_WITH_SCORES = {"emotion_started", "emotion_changed", "emotion_ended"}


@dataclass(frozen=True)
class Identity:
    """Who speaks: the same in every payload of a process."""

    device_id: str
    source: str
    boot_id: str
    model: ModelPayload


class EventWriter:
    """Numbers events and fills in what a change does not know."""

    def __init__(self, identity: Identity, clock: Clock, numbers: Iterator[int] | None = None) -> None:
        """Take `seq` from `numbers`, 1, 2, ... when left out."""
        self._identity = identity
        self._clock = clock
        self._numbers = numbers or itertools.count(1)

    def runs_on(self, accelerator: str) -> None:
        """Say from now on that the nets run there."""
        model = msgspec.structs.replace(self._identity.model, accelerator=accelerator)
        self._identity = replace(self._identity, model=model)

    def event(self, change: Change) -> OutMessage:
        """Write the event of one change."""
        now = self._clock.utc()
        duration = None if change.started_at is None else change.at - change.started_at
        face = change.face
        scores = dict(zip(EMOTION_LABELS, _rounded(face.emotion.scores), strict=True)) if face else None
        with_scores = change.change_type in _WITH_SCORES
        event = msgspec.structs.replace(
            self._numbered(change.change_type, change.at),
            track_id=change.track_id,
            emotion=change.emotion,
            previous=change.previous,
            confidence=round(face.emotion.support, 4) if face and with_scores else None,
            scores=scores if with_scores else None,
            start_time=None if duration is None else rfc3339(now - duration),
            end_time=None if duration is None else rfc3339(now),
            duration_s=None if duration is None else round(duration, 3),
            end_reason=change.end_reason,
            uncertain_reason=face.emotion.uncertain_reason if face and change.end_reason == "uncertain" else None,
            face=_face_payload(face) if face else None,
            model=self._identity.model if with_scores else None,
        )
        return OutMessage("event", event)

    def system(self, message: str, at: float) -> OutMessage:
        """Write an event about the device itself; `at` is source seconds."""
        return OutMessage("event", msgspec.structs.replace(self._numbered("system", at), message=message))

    def observation(self, seen: Observation) -> OutMessage:
        """Write everything seen in one frame."""
        payload = ObservationPayload(
            boot_id=self._identity.boot_id,
            device_id=self._identity.device_id,
            source=self._identity.source,
            time=rfc3339(self._clock.utc()),
            frame=seen.frame_index,
            captured_at=round(seen.captured_at, 4),
            width=seen.width,
            height=seen.height,
            faces=tuple(_observed(face) for face in seen.faces),
        )
        return OutMessage("observation", payload)

    def state(self, seen: Observation) -> OutMessage:
        """Write how many faces there are and what the primary one shows."""
        primary = seen.primary
        payload = State(
            device_id=self._identity.device_id,
            time=rfc3339(self._clock.utc()),
            faces=len(seen.faces),
            emotion=primary.emotion.label if primary else None,
            confidence=round(primary.emotion.support, 4) if primary else None,
        )
        return OutMessage("state", payload)

    def _numbered(self, event_type: EventType, at: float) -> Event:
        """Begin an event: the fields that every event has."""
        return Event(
            id=self._clock.uuid7(),
            seq=next(self._numbers),
            boot_id=self._identity.boot_id,
            event_type=event_type,
            device_id=self._identity.device_id,
            source=self._identity.source,
            time=rfc3339(self._clock.utc()),
            monotonic_ns=round(at * 1e9),
            clock_synced=self._clock.synchronized(),
        )


def _observed(face: Face) -> ObservedFace:
    return ObservedFace(
        track_id=face.track_id,
        emotion=face.emotion.label,
        confidence=round(face.emotion.support, 4),
        scores=dict(zip(EMOTION_LABELS, _rounded(face.emotion.scores), strict=True)),
        face=_face_payload(face),
        uncertain_reason=face.emotion.uncertain_reason,
    )


def _face_payload(face: Face) -> FacePayload:
    points = {name: (round(x, 2), round(y, 2)) for name, (x, y) in face.keypoints.as_dict().items()}
    return FacePayload(box=_box(face.box), size_px=round(face.size_px, 1), keypoints=points)


def _box(box: Box) -> tuple[float, float, float, float]:
    return round(box.x0, 1), round(box.y0, 1), round(box.x1, 1), round(box.y1, 1)


def _rounded(scores: tuple[float, ...]) -> list[float]:
    return [round(score, 4) for score in scores]
