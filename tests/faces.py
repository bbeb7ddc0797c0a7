"""A drawn-up face as numbers: points as the training crops have them, and observations made of such faces."""

from __future__ import annotations

from typing import Final

import numpy as np

from edge_runtime.contract import EMOTION_LABELS, UncertainReason
from edge_runtime.datatypes import Emotion, Face, FaceBox, Keypoints, Observation
from edge_runtime.framing import tight_box_of_points
from edge_runtime.geometry import Box, Points, Similarity

FACE_IN_CROP: Final[Points] = np.array(
    [
        [66, 37],  # eyes
        [30, 37],
        [59, 38],
        [73, 38],
        [37, 38],
        [23, 38],
        [56, 30],  # brows
        [80, 29],
        [40, 30],
        [16, 29],
        [48, 57],  # nose
        [61, 72],  # mouth
        [35, 72],
        [48, 70],
        [48, 81],
    ],
    np.float32,
)
"""(15, 2): an upright face in the 96 x 96 keypoint crop; its points' box is 64 wide around (48, 55)."""


def points_at(x: float, y: float, scale: float = 1.0) -> Points:
    """Put the face into a frame: its crop's upper left corner at (x, y), `scale` frame pixels per crop pixel."""
    return Similarity(scale, 0.0, x, y).apply(FACE_IN_CROP)


def box_at(x: float, y: float, scale: float = 1.0) -> Box:
    """Tight box of the face of `points_at`."""
    return tight_box_of_points(points_at(x, y, scale))


def found_at(x: float, y: float, scale: float = 1.0, score: float = 0.9) -> FaceBox:
    """Return what a detector says of the face of `points_at`."""
    return FaceBox(box_at(x, y, scale), score)


def emotion(leading: str = "happy", support: float = 0.9, uncertain_reason: UncertainReason | None = None) -> Emotion:
    """Show one label with a share of 0.8, and the others with 0.05 each."""
    scores = tuple(0.8 if label == leading else 0.05 for label in EMOTION_LABELS)
    return Emotion(scores, support, uncertain_reason)


def face(track_id: int = 1, shown: Emotion | None = None, *, at: tuple[float, float] = (100.0, 100.0)) -> Face:
    """Make one tracked face."""
    return Face(track_id, box_at(*at), Keypoints(points_at(*at)), shown or emotion())


def seen(captured_at: float, *faces: Face, frame_index: int = 0) -> Observation:
    """Make the observation of one 640 x 480 frame."""
    return Observation(frame_index, captured_at, 640, 480, faces)
