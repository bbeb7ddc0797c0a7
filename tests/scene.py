"""Pictures of discs that stand for noses, and a detector and nets that read them: a whole chain without model files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from edge_runtime.bundle import MANIFEST_FILE, Bundle
from edge_runtime.contract import EMOTION_LABELS, INPUT_SCALE, INPUT_ZERO_POINT, KEYPOINT_NAMES
from edge_runtime.datatypes import FaceBox, Frame
from edge_runtime.manifest import Manifest
from edge_runtime.models import EmotionModel, KeypointModel
from edge_runtime.pipeline import FramePipeline, PipelineParts
from edge_runtime.quantization import Quantization
from edge_runtime.settings import Policy
from edge_runtime.settings import Tracker as TrackerSettings
from edge_runtime.testing import FakeInterpreter
from edge_runtime.tracker import Tracker
from tests.faces import FACE_IN_CROP, found_at
from tests.tiny_bundles import TinyBundle, emotion_bundle, keypoint_bundle

NOSE = FACE_IN_CROP[KEYPOINT_NAMES.index("nose_tip")]
RADIUS_PX = 6
"""Of the disc, in the pixels of the keypoint crop."""

BACKGROUND, DISC = 60, 250
"""Grey levels."""

INPUT = Quantization(INPUT_SCALE, INPUT_ZERO_POINT)
HALF_PIXELS = Quantization(1 / 96, 0)
"""Of the keypoint net's output: one step is half a pixel of the crop, so FACE_IN_CROP is answered exactly."""

TENTHS = Quantization(0.1, 0)
"""Of the emotion net's output."""

SHOWS = {
    label: np.array([[40 if other == label else 0 for other in EMOTION_LABELS]], np.int8) for label in EMOTION_LABELS
}
"""Answer of the emotion net that is sure of a label: logit 4 for it, 0 for the others; at temperature 1 its share is
e^4 / (e^4 + 4) = 0.9317."""

Place = tuple[float, float, float]
"""x, y of the crop's upper left corner in the frame, and frame pixels per crop pixel: see faces.points_at."""


def picture(*places: Place, size: tuple[int, int] = (320, 240)) -> NDArray[np.uint8]:
    """Draw a grey frame, width x height, with one white disc per face."""
    xs, ys = np.meshgrid(np.arange(size[0]), np.arange(size[1]))
    pixels = np.full((size[1], size[0]), float(BACKGROUND))
    for x, y, scale in places:
        distance = np.hypot(xs - x - NOSE[0] * scale, ys - y - NOSE[1] * scale)
        pixels += (DISC - BACKGROUND) * np.clip(RADIUS_PX * scale + 0.5 - distance, 0, 1)  # edge pixels are part disc
    return np.asarray(np.rint(pixels), dtype=np.uint8)


def frames(*pictures: NDArray[np.uint8], fps: float = 25.0) -> list[Frame]:
    """Number and date pictures."""
    return [Frame(index, index / fps, pixels) for index, pixels in enumerate(pictures)]


class DiscDetector:
    """Finds every disc and says what face it stands for."""

    def __init__(self) -> None:
        """Count from 0."""
        self.name = "discs"
        self.frames = 0
        """Whole frames searched."""
        self.patches = 0
        """Patches around followed faces searched."""
        self.blind = False
        """Set it to find nothing."""

    def detect(self, pixels: NDArray[np.uint8]) -> Sequence[FaceBox]:
        """Find faces in a (height, width) grey picture."""
        if pixels.shape[0] == pixels.shape[1]:
            self.patches += 1
        else:
            self.frames += 1
        return [] if self.blind else [_face_of(x, y, area) for x, y, area in _discs(pixels)]


def point_net(stored: NDArray[np.int8]) -> NDArray[np.int8]:
    """Answer FACE_IN_CROP with its nose on the disc next to the middle of the crop; no disc, no shift."""
    crop = np.rint(INPUT.dequantize(stored) * 255).astype(np.uint8)[0, :, :, 0]
    near = min(_discs(crop), key=lambda disc: abs(disc[0] - NOSE[0]) + abs(disc[1] - NOSE[1]), default=None)
    points = FACE_IN_CROP if near is None else FACE_IN_CROP + np.array(near[:2], np.float32) - NOSE
    return HALF_PIXELS.quantize(((points - 47.5) / 48).reshape(1, -1).astype(np.float32))


def pipeline(
    detector: DiscDetector,
    *,
    shows: Callable[[], str] = lambda: "happy",
    points: Callable[[NDArray[np.int8]], NDArray[np.int8]] = point_net,
    tracker: TrackerSettings | None = None,
    policy: Policy | None = None,
    every_n_frames: int = 5,
) -> FramePipeline:
    """Build a chain; `shows` is asked once per emotion crop."""
    net = FakeInterpreter(lambda _: SHOWS[shows()], output=TENTHS, outputs=len(EMOTION_LABELS))
    parts = PipelineParts(
        detector=detector,
        keypoints=KeypointModel(
            unwritten(keypoint_bundle()),
            FakeInterpreter(points, output=HALF_PIXELS, outputs=2 * len(KEYPOINT_NAMES)),
        ),
        emotion=EmotionModel(unwritten(emotion_bundle(policy={"temperature": 1.0})), net),
        tracker=Tracker(tracker or TrackerSettings(min_time_s=0.0)),
        policy=policy or Policy(enter=0.6, exit=0.4, window_s=0.0, min_sharpness=0.0, keypoint_window_s=0.0),
        every_n_frames=every_n_frames,
    )
    return FramePipeline(parts)


def unwritten(bundle: TinyBundle) -> Bundle:
    """Make a Bundle of a tiny one without a file."""
    files = bundle.files()
    return Bundle(Path("tiny"), msgspec.json.decode(files[MANIFEST_FILE], type=Manifest), files)


def _discs(pixels: NDArray[np.uint8]) -> list[tuple[float, float, float]]:
    """x, y and area of every disc: its grey levels above the background, weighed."""
    bright = (pixels > BACKGROUND + 4).astype(np.uint8)
    count, numbered = cv2.connectedComponents(bright)
    found = []
    for number in range(1, count):
        ys, xs = np.nonzero(numbered == number)
        weights = (pixels[ys, xs].astype(float) - BACKGROUND) / (DISC - BACKGROUND)
        area = float(weights.sum())
        if area >= 3:
            found.append((float(weights @ xs) / area, float(weights @ ys) / area, area))
    return found


def _face_of(x: float, y: float, area: float) -> FaceBox:
    scale = float(np.sqrt(area / np.pi)) / RADIUS_PX
    return found_at(x - NOSE[0] * scale, y - NOSE[1] * scale, scale)
