"""Reader of the Kaggle facial-keypoints CSV: 30 coordinate columns and Image."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from converter.datasets.copies import exact_copy_groups
from converter.datasets.csv_rows import Row, parse_pixels, read_rows
from converter.datasets.types import KeypointData
from converter.errors import DataError
from edge_runtime.contract import INPUT_SIZE_PX, KEYPOINT_COUNT, KEYPOINT_NAMES

COORDINATE_COLUMNS = tuple(f"{name}_{axis}" for name in KEYPOINT_NAMES for axis in "xy")
COLUMNS = (*COORDINATE_COLUMNS, "Image")

_OUTSIDE_PX = INPUT_SIZE_PX / 4
"""How far outside the picture a point may lie before it is taken for a mistake."""


def read_keypoint_csv(path: Path) -> KeypointData:
    """Read faces with points; an empty cell is a point that is not annotated.

    The file names no people, so every face is its own group, but for exact copies, which share one.
    """
    images: list[NDArray[np.uint8]] = []
    points: list[list[float]] = []
    for row in read_rows(path, COLUMNS):
        images.append(parse_pixels(row, "Image", INPUT_SIZE_PX**2))
        points.append([_coordinate(row, column) for column in COORDINATE_COLUMNS])
    if not images:
        raise DataError(f"{path}: holds no row below its header")
    stacked = np.stack(images)
    person = np.char.add(f"{path.stem}-", exact_copy_groups(stacked).astype(str))
    shaped = np.array(points, np.float32).reshape(-1, KEYPOINT_COUNT, 2)
    return KeypointData(stacked, shaped, person, np.full(len(stacked), path.stem))


def _coordinate(row: Row, column: str) -> float:
    text = row.cells[column]
    if not text:
        return float("nan")
    low, high = -_OUTSIDE_PX, INPUT_SIZE_PX + _OUTSIDE_PX
    try:
        value = float(text)
    except ValueError as error:
        raise DataError(f"{row.where}, column {column}: expected a number or nothing, found {text!r}") from error
    if not low <= value <= high:
        raise DataError(f"{row.where}, column {column}: expected {low:g}..{high:g} pixels, found {text}")
    return value
