"""The way of a frame: detector, tracks, points, emotion. No threads, no I/O."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from edge_runtime.accelerator.processor import Processor
from edge_runtime.datatypes import Emotion, Face, Frame, Keypoints, Observation
from edge_runtime.framing import (
    SEARCH_PATCH_PX,
    cut_emotion_crop,
    cut_keypoint_crop,
    emotion_crop_of_points,
    face_in_search_patch,
    keypoint_crop_of_box,
    keypoint_crop_of_points,
    sample,
    search_patch_of_points,
    tight_box_of_crop,
)
from edge_runtime.geometry import Box, Points, iou
from edge_runtime.interfaces import Accelerator, Detector
from edge_runtime.models import EmotionModel, KeypointModel
from edge_runtime.quality import doubt
from edge_runtime.settings import Policy
from edge_runtime.smoothing import PointSmoother, ScoreSmoother
from edge_runtime.stages import StageTimes
from edge_runtime.tracker import Track, Tracker

_LEAST_OVERLAP = 0.3
"""Overlap of a face's box in two processed frames below which its points have jumped off it."""


@dataclass(frozen=True)
class PipelineParts:
    """What a pipeline is made of; wiring.py chooses."""

    detector: Detector
    keypoints: KeypointModel
    emotion: EmotionModel
    tracker: Tracker
    policy: Policy
    """With enter, exit and window_s resolved."""
    every_n_frames: int
    """The detector runs on every n-th frame, and at once when a face is new or lost."""
    accelerator: Accelerator = field(default_factory=Processor)
    """Runs the nets' interpreters, or not."""


@dataclass(eq=False)
class _Smoothers:
    points: PointSmoother
    scores: ScoreSmoother


class FramePipeline:
    """Frame -> Observation. One thread owns it."""

    def __init__(self, parts: PipelineParts) -> None:
        """Start with nobody."""
        self._parts = parts
        self._since_detection = parts.every_n_frames
        self._smoothers: dict[int, _Smoothers] = {}
        self._size: tuple[int, int] | None = None
        self.times = StageTimes()

    @property
    def parts(self) -> PipelineParts:
        """What this pipeline is made of."""
        return self._parts

    def process(self, frame: Frame) -> Observation:
        """Find, follow and read every face of one frame."""
        with self.times.measure("total"):
            tracker = self._parts.tracker
            self._begin_anew_at_another_size(frame)
            self._detect_if_due(frame)
            for track in tracker.confirmed:
                self._follow(track, frame)
            with self.times.measure("track"):
                tracker.forget(frame.captured_at)
                tracks = tracker.confirmed
                for gone in self._smoothers.keys() - {track.track_id for track in tracks}:
                    del self._smoothers[gone]
            faces = tuple(track.face for track in tracks if track.face is not None)
        return Observation(frame.index, frame.captured_at, frame.width, frame.height, faces)

    def forget_faces(self) -> None:
        """Begin anew: who is seen next is somebody new."""
        self._parts.tracker.forget_all()
        self._smoothers.clear()
        self._since_detection = self._parts.every_n_frames

    def _begin_anew_at_another_size(self, frame: Frame) -> None:
        """Forget faces when the frame is not as large as the last: their boxes are places in frames of that size."""
        size, last = (frame.width, frame.height), self._size
        self._size = size
        if last not in {None, size}:
            self.forget_faces()

    def _detect_if_due(self, frame: Frame) -> None:
        self._since_detection += 1
        early = self._parts.tracker.wants_detection(frame.captured_at)
        if self._since_detection < self._parts.every_n_frames and not early:
            return
        self._since_detection = 0
        with self.times.measure("detect"):
            found = self._parts.detector.detect(frame.pixels)
        with self.times.measure("track"):
            self._parts.tracker.update(found, frame.captured_at)
        for track in self._parts.tracker.unmatched(frame.captured_at):
            self._look_closer(track, frame)

    def _look_closer(self, track: Track, frame: Frame) -> None:
        """Ask the detector again about a face it did not find in the frame: upright, and large enough.

        Frontal detectors miss heads that are tilted by 25 degrees and more; the track's points know the tilt.
        """
        if track.points is None:
            return
        with self.times.measure("crop"):
            patch = sample(frame.pixels, search_patch_of_points(track.points), SEARCH_PATCH_PX)
        with self.times.measure("detect"):
            found = self._parts.detector.detect(patch)
        if any(iou(face.box, face_in_search_patch()) >= _LEAST_OVERLAP for face in found):
            track.confirmed_at = frame.captured_at

    def _follow(self, track: Track, frame: Frame) -> None:
        """Read one face; a face whose points jumped keeps its last reading until the detector finds it again."""
        points = self._read_points(track, frame)
        to_crop = keypoint_crop_of_points(points)
        box = tight_box_of_crop(to_crop, points)
        if iou(box, track.box) < _LEAST_OVERLAP or not _touches(box, frame):
            track.points = None
            return
        track.points, track.to_crop, track.box = points, to_crop, box
        smoothers = self._smoothers_of(track)
        with self.times.measure("crop"):
            steady = smoothers.points.update(points, frame.captured_at)
            crop = cut_emotion_crop(frame.pixels, emotion_crop_of_points(steady))
            reason = doubt(crop, steady, max(box.width, box.height), self._parts.policy)
        with self.times.measure("emotion"):
            scores = self._parts.emotion.scores(crop)
        shares, supports = smoothers.scores.update(scores.shares, scores.supports, frame.captured_at)
        support = float(supports[int(shares.argmax())])
        if reason is None and support < (self._parts.policy.enter or 0.0):
            reason = "low_confidence"
        emotion = Emotion(
            tuple(shares.tolist()), support, reason, tuple(scores.shares.tolist()), tuple(scores.supports.tolist())
        )
        clipped = box.clipped(frame.width, frame.height)
        track.face = Face(track.track_id, clipped, Keypoints(steady), emotion)

    def _read_points(self, track: Track, frame: Frame) -> Points:
        with self.times.measure("crop"):
            known = None if track.points is None else track.to_crop
            to_crop = known or keypoint_crop_of_box(track.box)
            crop = cut_keypoint_crop(frame.pixels, to_crop)
        with self.times.measure("keypoints"):
            points = self._parts.keypoints.points(crop)
        return np.asarray(to_crop.inverse().apply(points))

    def _smoothers_of(self, track: Track) -> _Smoothers:
        known = self._smoothers.get(track.track_id)
        if known is None:
            policy = self._parts.policy
            known = _Smoothers(PointSmoother(policy.keypoint_window_s), ScoreSmoother(policy.window_s or 0.0))
            self._smoothers[track.track_id] = known
        return known


def _touches(box: Box, frame: Frame) -> bool:
    """Whether the middle of a face is inside the frame."""
    x, y = box.center
    return 0 <= x < frame.width and 0 <= y < frame.height
