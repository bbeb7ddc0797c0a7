"""From observations to changes worth telling: hysteresis over the answers of every track. No clocks, no I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from edge_runtime.datatypes import Face, Observation
from edge_runtime.payloads import EndReason

ChangeType = Literal["face_appeared", "emotion_started", "emotion_changed", "emotion_ended", "face_lost"]


@dataclass(frozen=True, slots=True)
class Thresholds:
    """When a label starts and ends; from the configuration, else from the emotion bundle."""

    enter: float
    """Support from which a label may start."""
    exit: float
    """Support below which it may end."""
    min_frames: int
    min_time_s: float
    hold_s: float


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """One change of one track."""

    change_type: ChangeType
    at: float
    """Source seconds."""
    track_id: int
    face: Face | None
    """The face as last seen."""
    emotion: str | None = None
    previous: str | None = None
    started_at: float | None = None
    """Source seconds at which what ends (or is replaced) began."""
    end_reason: EndReason | None = None


@dataclass(eq=False)
class _Seen:
    """What is remembered of one track."""

    face: Face
    appeared_at: float
    active: str | None = None
    active_since: float = 0.0
    supported_at: float = 0.0
    candidate: str | None = None
    candidate_since: float = 0.0
    candidate_frames: int = 0


class EventPolicy:
    """Every appearance has one loss, every start one end; a change replaces a label without an end between."""

    def __init__(self, thresholds: Thresholds) -> None:
        """Start with nobody."""
        self._thresholds = thresholds
        self._seen: dict[int, _Seen] = {}

    def update(self, observation: Observation) -> list[Change]:
        """Return the changes that one observation brings, in order."""
        now = observation.captured_at
        present = {face.track_id for face in observation.faces}
        changes = []
        for track_id in [known for known in self._seen if known not in present]:
            changes += self._close(track_id, now, "lost")
        for face in observation.faces:
            if face.track_id not in self._seen:
                self._seen[face.track_id] = _Seen(face, now)
                changes.append(Change("face_appeared", now, face.track_id, face))
            seen = self._seen[face.track_id]
            seen.face = face
            changes += self._step(seen, now)
        return changes

    def close(self, now: float, reason: EndReason) -> list[Change]:
        """End everything: at shutdown, on a pause, when the source is gone."""
        return [change for track_id in list(self._seen) for change in self._close(track_id, now, reason)]

    def _close(self, track_id: int, now: float, reason: EndReason) -> list[Change]:
        seen = self._seen.pop(track_id)
        changes = [self._ended(seen, now, reason)] if seen.active else []
        changes.append(Change("face_lost", now, track_id, seen.face, started_at=seen.appeared_at, end_reason=reason))
        return changes

    def _step(self, seen: _Seen, now: float) -> list[Change]:
        self._follow_candidate(seen, now)
        holds = self._still_holds(seen)
        if holds:
            seen.supported_at = now
        if seen.candidate and seen.candidate != seen.active and self._is_due(seen, now):
            return [self._begin(seen, now)]
        if seen.active and not holds and now - seen.supported_at >= self._thresholds.hold_s:
            ended = self._ended(seen, now, "uncertain")
            seen.active = None
            return [ended]
        return []

    def _follow_candidate(self, seen: _Seen, now: float) -> None:
        emotion = seen.face.emotion
        supported = emotion.uncertain_reason is None and emotion.support >= self._thresholds.enter
        leads = emotion.leading if supported else None
        if leads != seen.candidate:
            seen.candidate, seen.candidate_since, seen.candidate_frames = leads, now, 0
        seen.candidate_frames += 1

    def _still_holds(self, seen: _Seen) -> bool:
        emotion = seen.face.emotion
        return (
            emotion.leading == seen.active
            and emotion.support >= self._thresholds.exit
            and emotion.uncertain_reason in (None, "low_confidence")
        )

    def _is_due(self, seen: _Seen, now: float) -> bool:
        limits = self._thresholds
        return seen.candidate_frames >= limits.min_frames and now - seen.candidate_since >= limits.min_time_s

    def _begin(self, seen: _Seen, now: float) -> Change:
        previous, since = seen.active, seen.active_since
        seen.active, seen.active_since, seen.supported_at = seen.candidate, now, now
        if previous is None:
            return Change("emotion_started", now, seen.face.track_id, seen.face, emotion=seen.active)
        return Change(
            "emotion_changed",
            now,
            seen.face.track_id,
            seen.face,
            emotion=seen.active,
            previous=previous,
            started_at=since,
            end_reason="changed",
        )

    def _ended(self, seen: _Seen, now: float, reason: EndReason) -> Change:
        return Change(
            "emotion_ended",
            now,
            seen.face.track_id,
            seen.face,
            emotion=seen.active,
            started_at=seen.active_since,
            end_reason=reason,
        )
