"""Read training data of any supported form by what the path is: .npz, .csv, or a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from converter.datasets.csv_rows import read_header
from converter.datasets.fer_csv import COLUMNS as FER_COLUMNS
from converter.datasets.fer_csv import read_fer_csv
from converter.datasets.folders import read_folder
from converter.datasets.keypoint_csv import COLUMNS as KEYPOINT_COLUMNS
from converter.datasets.keypoint_csv import read_keypoint_csv
from converter.datasets.label_orders import LabelOrder
from converter.datasets.npz import read_emotion_npz, read_keypoint_npz, read_keys
from converter.datasets.types import CLASS_NAMES, EmotionData, KeypointData
from converter.errors import DataError

DataKind = Literal["emotion", "keypoints", "detection"]

KIND_NAMES: Final[dict[DataKind, str]] = {
    "emotion": "faces with an emotion",
    "keypoints": "faces with points",
    "detection": "pictures with face boxes",
}


def kind_of(path: Path) -> DataKind:
    """Say what a path holds: labelled faces, faces with points, or pictures with face boxes.

    Raises:
        DataError: there is nothing, or nothing that is known.
    """
    if path.is_dir():
        return "emotion"
    if not path.exists():
        raise DataError(f"{path}: no such file or folder")
    if path.suffix.lower() == ".csv":
        return _kind_of_csv(path)
    keys = read_keys(path)
    if "boxes" in keys:
        return "detection"
    return "keypoints" if "points" in keys else "emotion"


def _kind_of_csv(path: Path) -> DataKind:
    header = read_header(path)
    if set(FER_COLUMNS) <= set(header):
        return "emotion"
    if "Image" in header:
        return "keypoints"
    raise DataError(
        f"{path}, line 1: expected columns {list(FER_COLUMNS)} (faces with an emotion), or "
        f"{KEYPOINT_COLUMNS[0]}, ..., {KEYPOINT_COLUMNS[-1]} (faces with points); found {list(header[:8])}"
    )


def read_emotion(paths: list[Path], order: LabelOrder | None = None) -> EmotionData:
    """Read and join labelled faces; `order` is the numbering of CSV files whose numbers do not prove it."""
    parts = [_read_emotion(path, order) for path in paths]
    _refuse_nothing(parts)
    _refuse_sizes({part.images.shape[1:] for part in parts}, paths)
    if len(parts) == 1:
        return parts[0]
    return EmotionData(
        np.concatenate([part.images for part in parts]),
        np.concatenate([part.labels for part in parts]),
        np.concatenate([part.usage for part in parts]),
        _joined_votes(parts),
    )


def _joined_votes(parts: list[EmotionData]) -> NDArray[np.float32] | None:
    """Join the votes of all files; faces of a file without votes have unknown ones."""
    if all(part.votes is None for part in parts):
        return None
    unknown = (np.full((len(part), len(CLASS_NAMES)), np.nan, np.float32) for part in parts)
    return np.concatenate(
        [each if part.votes is None else part.votes for part, each in zip(parts, unknown, strict=True)]
    )


def read_keypoints(paths: list[Path]) -> KeypointData:
    """Read and join faces with points."""
    parts = [_read_keypoints(path) for path in paths]
    _refuse_nothing(parts)
    # Wider pictures are cut to the crop only where files of both forms come together.
    images = [part.images for part in parts]
    if len({part.margin_px for part in parts}) > 1:
        images = [part.crops for part in parts]
    return KeypointData(
        np.concatenate(images),
        np.concatenate([part.points for part in parts]),
        np.concatenate([part.person for part in parts]),
        np.concatenate([part.source for part in parts]),
    )


def _read_emotion(path: Path, order: LabelOrder | None) -> EmotionData:
    _refuse_kind(path, "emotion")
    if path.is_dir():
        return read_folder(path)
    return read_fer_csv(path, order) if path.suffix.lower() == ".csv" else read_emotion_npz(path)


def _read_keypoints(path: Path) -> KeypointData:
    _refuse_kind(path, "keypoints")
    return read_keypoint_csv(path) if path.suffix.lower() == ".csv" else read_keypoint_npz(path)


def _refuse_kind(path: Path, wanted: DataKind) -> None:
    found = kind_of(path)
    if found != wanted:
        raise DataError(f"{path}: expected {KIND_NAMES[wanted]}, found {KIND_NAMES[found]}")


def _refuse_nothing(parts: list[EmotionData] | list[KeypointData]) -> None:
    if not parts:
        raise DataError("no data file given; add --data PATH")


def _refuse_sizes(sizes: set[tuple[int, ...]], paths: list[Path]) -> None:
    if len(sizes) > 1:
        raise DataError(f"{', '.join(map(str, paths))}: expected pictures of one size, found {sorted(sizes)}")
