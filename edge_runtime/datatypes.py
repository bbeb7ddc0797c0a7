"""What flows through the pipeline: Frame -> FaceBox -> Track -> Face -> Observation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from edge_runtime.contract import EMOTION_LABELS, KEYPOINT_COUNT, KEYPOINT_NAMES, UncertainReason
from edge_runtime.errors import EdgeRuntimeError
from edge_runtime.geometry import Box


class ShapeError(EdgeRuntimeError, ValueError):
    """An array does not have the shape or type that its place needs."""


@dataclass(frozen=True, slots=True, eq=False)  # eq=False: == on arrays is ambiguous
class Frame:
    """One picture from one source."""

    index: int
    """Counts frames the source delivered, from 0; gaps are dropped frames."""

    captured_at: float
    """Seconds: the picture's own time for files and the demo, the monotonic clock for live sources."""

    pixels: NDArray[np.uint8]
    """(height, width) grey, owned by this Frame."""

    def __post_init__(self) -> None:
        """Refuse colour, floats and empty pictures."""
        if self.pixels.ndim != 2 or self.pixels.dtype != np.uint8 or self.pixels.size == 0:
            raise ShapeError(
                f"frame {self.index}: expected (height, width) uint8, found {self.pixels.shape} {self.pixels.dtype}"
            )

    @property
    def height(self) -> int:
        """Pixels from top to bottom."""
        return int(self.pixels.shape[0])

    @property
    def width(self) -> int:
        """Pixels from left to right."""
        return int(self.pixels.shape[1])


@dataclass(frozen=True, slots=True)
class FaceBox:
    """A face that a detector found: a tight box, forehead to chin."""

    box: Box
    """Frame pixels."""

    score: float
    """0..1, comparable only within one detector."""


@dataclass(frozen=True, slots=True, eq=False)
class Keypoints:
    """The 15 named points of one face, in frame pixels; left and right are the subject's."""

    points: NDArray[np.float32]
    """(15, 2) x, y in the order of KEYPOINT_NAMES."""

    def __post_init__(self) -> None:
        """Refuse another number of points."""
        if self.points.shape != (KEYPOINT_COUNT, 2):
            raise ShapeError(f"keypoints: expected ({KEYPOINT_COUNT}, 2), found {self.points.shape}")

    def __getitem__(self, name: str) -> tuple[float, float]:
        """Return x, y of a point by its name."""
        x, y = self.points[KEYPOINT_NAMES.index(name)]
        return float(x), float(y)

    def as_dict(self) -> dict[str, tuple[float, float]]:
        """Name every point."""
        return {name: self[name] for name in KEYPOINT_NAMES}


@dataclass(frozen=True, slots=True)
class Emotion:
    """What one face shows in one frame."""

    scores: tuple[float, ...]
    """Calibrated and smoothed shares of the five labels, sum 1, in the order of EMOTION_LABELS."""

    support: float
    """Calibrated and smoothed probability that the leading label is right and that any of the five is shown; 0..1."""

    uncertain_reason: UncertainReason | None
    """Why there is no answer; None when there is one."""

    frame_scores: tuple[float, ...] = field(default=(), compare=False, repr=False)
    """The shares before smoothing, for a recording."""

    frame_supports: tuple[float, ...] = field(default=(), compare=False, repr=False)
    """The probabilities of the five labels before smoothing, with `none` counted in."""

    @property
    def leading(self) -> str:
        """The label with the largest score, supported or not."""
        return EMOTION_LABELS[max(range(len(self.scores)), key=self.scores.__getitem__)]

    @property
    def label(self) -> str:
        """The answer, or `uncertain`."""
        return "uncertain" if self.uncertain_reason else self.leading

    def as_dict(self) -> Mapping[str, float]:
        """Name every score."""
        return dict(zip(EMOTION_LABELS, self.scores, strict=True))


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """One tracked face in one frame."""

    track_id: int
    """The same face over frames; never reused in a process."""

    box: Box
    """Tight box, frame pixels."""

    keypoints: Keypoints
    """Smoothed points, frame pixels."""

    emotion: Emotion

    @property
    def size_px(self) -> float:
        """Longer side of the box."""
        return max(self.box.width, self.box.height)


@dataclass(frozen=True, slots=True, eq=False)
class Observation:
    """Everything seen in one processed frame; no faces is an observation too."""

    frame_index: int
    captured_at: float
    """Seconds, as in Frame."""
    width: int
    """Frame width, pixels."""
    height: int
    """Frame height, pixels."""
    faces: tuple[Face, ...]

    @property
    def primary(self) -> Face | None:
        """The face with the largest box."""
        return max(self.faces, key=lambda face: face.box.area, default=None)
