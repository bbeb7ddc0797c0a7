"""Read training data of any supported form by what the path is."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from converter.datasets.npz import read_emotion_npz, read_keypoint_npz
from converter.datasets.types import EmotionData, KeypointData
from converter.errors import DataError


def read_emotion(paths: list[Path]) -> EmotionData:
    """Read and join emotion data."""
    parts = [read_emotion_npz(path) for path in paths]
    if not parts:
        raise DataError("no data file given; add --data PATH")
    if len(parts) == 1:
        return parts[0]
    votes = None
    if all(part.votes is not None for part in parts):
        votes = np.concatenate([part.votes for part in parts if part.votes is not None])
    return EmotionData(
        np.concatenate([part.images for part in parts]),
        np.concatenate([part.labels for part in parts]),
        np.concatenate([part.usage for part in parts]),
        votes,
    )


def read_keypoints(paths: list[Path]) -> KeypointData:
    """Read and join keypoint data."""
    parts = [read_keypoint_npz(path) for path in paths]
    if not parts:
        raise DataError("no data file given; add --data PATH")
    return KeypointData(
        np.concatenate([part.images for part in parts]),
        np.concatenate([part.points for part in parts]),
        np.concatenate([part.person for part in parts]),
        np.concatenate([part.source for part in parts]),
    )
