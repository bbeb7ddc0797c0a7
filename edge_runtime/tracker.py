"""Follows faces over frames: matches detections to tracks, forgets what no detection confirms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edge_runtime.datatypes import Face, FaceBox
from edge_runtime.geometry import Box, Points, Similarity, coverage, iou
from edge_runtime.settings import Tracker as TrackerSettings

_SAME_FACE_COVERAGE = 0.6
"""Two boxes of which one covers so much of the other are one face; two heads that touch stay far below."""

_CLAIM_OF_THE_READ = 1.5
"""Where there are more faces than are read, a face takes another's place when its box is so many times larger. Else two
of nearly one size would take turns, and come and go in the events with every turn."""


@dataclass(eq=False)
class Track:
    """The same face over frames. Changed by its Tracker and by the pipeline, on one thread."""

    track_id: int
    """Never reused in a process."""

    box: Box
    """Newest tight box, from a detection or from the points."""

    confirmed_at: float
    """Source seconds of the last detection that matched."""

    first_at: float
    """Source seconds of the first detection."""

    hits: int = 1
    """Detections that matched."""

    points: Points | None = None
    """(15, 2) newest raw points, frame pixels; None = cut the next crop from the box."""

    to_crop: Similarity | None = None
    """Keypoint crop of those points, made once: it gives the box, and the next crop."""

    face: Face | None = None
    """What was last reported."""


class Tracker:
    """Keeps tracks by overlap.

    Why not by shape: a keypoint net answers a plausible face on any picture (measured: on crops without a face its
    answers lie about as near to the mean face), so only a detector can say that a face is there; see docs/adr/0003.
    """

    def __init__(self, settings: TrackerSettings) -> None:
        """Start with nobody."""
        self._settings = settings
        self._tracks: list[Track] = []
        self.next_id = 1
        """Given to the next face; raised when another tracker of this process has given some."""

    @property
    def confirmed(self) -> list[Track]:
        """Tracks that are believed, largest box first, at most max_faces; who is read already has the better claim."""
        there = [track for track in self._tracks if self._is_believed(track)]
        claim = {track.track_id: track.box.area * (_CLAIM_OF_THE_READ if track.face else 1.0) for track in there}
        return sorted(there, key=lambda track: -claim[track.track_id])[: self._settings.max_faces]

    def wants_detection(self, now: float) -> bool:
        """Whether to detect out of turn: a face is new, has lost its points, or waits long for its confirmation.

        The last matters where frames are slow: the detector's turn may come less often than max_gap_s.
        """
        limits = self._settings
        return any(not self._is_believed(track) for track in self._tracks) or any(
            track.points is None or now - track.confirmed_at > limits.max_gap_s / 2 for track in self.confirmed
        )

    def update(self, detections: Sequence[FaceBox], now: float) -> None:
        """Match the detections of one frame, best overlap first; what is left starts a track.

        Args:
            detections: faces of this frame.
            now: source seconds of this frame.
        """
        pairs = sorted(
            (
                (iou(track.box, found.box), t, d)
                for t, track in enumerate(self._tracks)
                for d, found in enumerate(detections)
            ),
            reverse=True,
        )
        free_tracks, free_detections = set(range(len(self._tracks))), set(range(len(detections)))
        for overlap, t, d in sorted(pairs, reverse=True):
            if overlap < self._settings.min_iou or t not in free_tracks or d not in free_detections:
                continue
            free_tracks.remove(t)
            free_detections.remove(d)
            self._confirm(self._tracks[t], detections[d].box, overlap, now)
        for t in free_tracks:
            if not self._is_believed(self._tracks[t]):
                self._tracks[t].hits = 0  # a first hit that nothing repeats was a false alarm
        for d in sorted(free_detections):
            self._begin(detections[d].box, now)

    def unmatched(self, now: float) -> list[Track]:
        """Return followed faces that the detections of this frame did not confirm."""
        return [track for track in self.confirmed if track.confirmed_at < now and track.points is not None]

    def forget_all(self) -> None:
        """Drop every track, for instance when the camera is gone; their ids are not used again."""
        self._tracks = []

    def forget(self, now: float) -> None:
        """Drop tracks that nothing confirmed for max_gap_s, and first hits that came to nothing."""
        self._tracks = [
            track for track in self._tracks if track.hits > 0 and now - track.confirmed_at <= self._settings.max_gap_s
        ]
        self._drop_doubles()
        read = {track.track_id for track in self.confirmed}
        for track in self._tracks:
            if track.track_id not in read:
                track.face = track.points = None  # old by the time this face is read again

    def _is_believed(self, track: Track) -> bool:
        """Whether a face was detected often enough, over a time that is long enough; it stays so."""
        limits = self._settings
        long_enough = limits.min_hits == 1 or track.confirmed_at - track.first_at >= limits.min_time_s
        return track.hits >= limits.min_hits and long_enough

    def _confirm(self, track: Track, box: Box, overlap: float, now: float) -> None:
        track.hits += 1
        track.confirmed_at = now
        if track.points is None or overlap < (1 + self._settings.min_iou) / 2:
            # The points have drifted off the detector's box: begin again from the box.
            track.box, track.points = box, None

    def _begin(self, box: Box, now: float) -> None:
        if any(coverage(box, track.box) > _SAME_FACE_COVERAGE for track in self._tracks):
            return  # detectors see small faces in the wrinkles of large ones
        if len(self._tracks) >= 2 * self._settings.max_faces:
            read = self.confirmed
            least = min((track for track in self._tracks if track not in read), key=lambda track: track.box.area)
            if box.area <= _CLAIM_OF_THE_READ * least.box.area:
                return
            self._tracks.remove(least)
        self._tracks.append(Track(self.next_id, box, now, now))
        self.next_id += 1

    def _drop_doubles(self) -> None:
        """Two tracks that follow the same face: the older one stays."""
        kept: list[Track] = []
        for track in self._tracks:
            if all(coverage(track.box, other.box) <= _SAME_FACE_COVERAGE for other in kept):
                kept.append(track)
        self._tracks = kept
