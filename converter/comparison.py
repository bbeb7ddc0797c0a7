"""Runs both nets on the same faces: the validation part of a run, or a data file."""

from __future__ import annotations

from pathlib import Path

from converter.answers import float_logits, float_points, int8_logits, int8_points
from converter.datasets.label_orders import LabelOrder
from converter.datasets.read import read_emotion, read_keypoints
from converter.datasets.types import EmotionData, KeypointData
from converter.evaluation import default_part, rows_of
from converter.figures import Figures
from converter.parity import emotion_parity, keypoint_parity
from edge_runtime.bundle import Bundle


def compare_on(bundle: Bundle, float_model: bytes, faces: EmotionData | KeypointData) -> Figures:
    """Return the parity of a bundle's int8 net and a float32 .tflite."""
    if isinstance(faces, EmotionData):
        return emotion_parity(
            float_logits(float_model, faces.images),
            int8_logits(bundle, faces.images),
            faces.labels,
            bundle.manifest.policy.temperature,
        )
    return keypoint_parity(float_points(float_model, faces.crops), int8_points(bundle, faces.crops), faces.points)


def read_faces(bundle: Bundle, path: Path, order: LabelOrder | None) -> EmotionData | KeypointData:
    """Read the faces of a file that `evaluate` would take by default."""
    if bundle.manifest.kind == "keypoints":
        return read_keypoints([path])
    data = read_emotion([path], order)
    return rows_of(data, default_part(data))
