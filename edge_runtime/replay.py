"""Runs the event policy over a recording again: no camera, no nets, the same bytes every time."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator
from dataclasses import replace

import msgspec
import numpy as np

from edge_runtime.clock import uuid7_from
from edge_runtime.errors import ConfigError
from edge_runtime.events import EventWriter
from edge_runtime.payloads import OutMessage
from edge_runtime.policy import Change, EventPolicy, Thresholds
from edge_runtime.recording import Interruption, RecordedFace, RecordedFrame, Recording
from edge_runtime.settings import Policy
from edge_runtime.smoothing import ScoreSmoother


class RecordedClock:
    """Time as it was while the recording was made; ids drawn from its content instead of from chance."""

    def __init__(self, recording: Recording, thresholds: Thresholds) -> None:
        """Stand at the first frame."""
        self._header = recording.header
        self._first_at = self._at = recording.frames[0].captured_at
        # Other thresholds make other events, so they must not carry the same ids.
        self._seed = msgspec.json.encode((recording.header, thresholds))
        self._serial = 0

    def stand_at(self, captured_at: float) -> None:
        """Move to a source second."""
        self._at = captured_at

    def monotonic(self) -> float:
        """Source seconds."""
        return self._at

    def utc(self) -> float:
        """Wall clock then, seconds since 1970."""
        return self._header.started_utc + (self._at - self._first_at)

    def synchronized(self) -> bool:
        """Whether the wall clock was known to be right then."""
        return self._header.clock_synced

    def uuid4(self) -> str:
        """Return the next id."""
        return str(uuid.UUID(bytes=self._next_bytes()[:16], version=4))

    def uuid7(self) -> str:
        """Return the next id, at the time of the recording."""
        return uuid7_from(int(self.utc() * 1000), self._next_bytes()[:10])

    def _next_bytes(self) -> bytes:
        self._serial += 1
        return hashlib.sha256(self._seed + self._serial.to_bytes(8, "big")).digest()


def thresholds_from(policy: Policy, recorded: Thresholds) -> Thresholds:
    """Take the thresholds of a configuration; `enter` and `exit` that it leaves open stay as recorded."""
    found = Thresholds(
        enter=recorded.enter if policy.enter is None else policy.enter,
        exit=recorded.exit if policy.exit is None else policy.exit,
        min_frames=policy.min_frames,
        min_time_s=policy.min_time_s,
        hold_s=policy.hold_s,
    )
    if found.exit > found.enter:
        raise ConfigError(f"policy.exit = {found.exit}: expected at most policy.enter = {found.enter}")
    return found


def under_policy(recording: Recording, policy: Policy) -> tuple[Recording, Thresholds]:
    """Apply a configuration to a recording: smoothed with its window, beside its thresholds; what is open stays."""
    window_s = recording.header.window_s if policy.window_s is None else policy.window_s
    return smoothed_again(recording, window_s), thresholds_from(policy, recording.header.thresholds)


def smoothed_again(recording: Recording, window_s: float) -> Recording:
    """Return a recording as it would have been with another window; the same one for the window it was made with."""
    if window_s == recording.header.window_s:
        return recording
    known: dict[int, _Smoothed] = {}
    lines: list[RecordedFrame | Interruption] = []
    for line in recording.lines:
        if isinstance(line, Interruption):
            known = {}
            lines.append(line)
            continue
        known = {face.track_id: known.get(face.track_id) or _Smoothed(window_s) for face in line.faces}
        faces = tuple(known[face.track_id].update(face, line.captured_at) for face in line.faces)
        lines.append(msgspec.structs.replace(line, faces=faces))
    return Recording(msgspec.structs.replace(recording.header, window_s=window_s), tuple(lines))


class _Smoothed:
    """What the pipeline does with the scores of one track."""

    def __init__(self, window_s: float) -> None:
        self._smoother = ScoreSmoother(window_s)
        self._last: RecordedFace | None = None

    def update(self, face: RecordedFace, now: float) -> RecordedFace:
        if face.frame_scores:
            shares, supports = self._smoother.update(np.array(face.frame_scores), np.array(face.frame_supports), now)
            support = float(supports[int(shares.argmax())])
            self._last = msgspec.structs.replace(face, scores=tuple(shares.tolist()), support=support)
        if self._last is None:
            return face
        return msgspec.structs.replace(face, scores=self._last.scores, support=self._last.support)


def replayed_changes(recording: Recording, thresholds: Thresholds) -> Iterator[Change]:
    """Yield every change that these thresholds make of the recording; the end of the file ends everything."""
    policy = EventPolicy(thresholds)
    at = 0.0
    for line in recording.lines:
        if isinstance(line, Interruption):
            yield from policy.close(at, "lost")
            continue
        at = line.captured_at
        yield from policy.update(line.observation(thresholds.enter))
    yield from policy.close(at, "shutdown")


def replayed_events(recording: Recording, thresholds: Thresholds) -> Iterator[OutMessage]:
    """Yield the events of a recording, as `emotion-edge run` would have sent them."""
    clock = RecordedClock(recording, thresholds)
    writer = EventWriter(replace(recording.header.identity, boot_id=clock.uuid4()), clock)
    for change in replayed_changes(recording, thresholds):
        clock.stand_at(change.at)
        yield writer.event(change)
