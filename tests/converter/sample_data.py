"""Small data files with drawn, nobody's faces."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from converter.datasets.keypoint_csv import COORDINATE_COLUMNS
from edge_runtime.contract import INPUT_SIZE_PX, KEYPOINT_COUNT

FACE_PX = 48

STRIPES_RECIPE = """
kind = "emotion"
name = "stripes"
calibration_count = 16
[data]
outputs = ["angry", "disgust", "sad", "happy", "surprise", "neutral", "fear"]
validation_share = 0.25
[model]
stem_filters = 8
stages = [{ filters = 8, blocks = 1 }, { filters = 16, blocks = 1 }]
[training]
epochs = 4
batch_size = 16
optimizer = "adamw"
learning_rate = 5e-3
weight_decay = 0.0
average_momentum = 0.9
[augment]
rotation_deg = 3.0
scale = 0.05
shift_px = 2.0
erase = 0.0
blur = 0.0
"""

Picture = NDArray[np.uint8]


def striped_face(label: int, rng: np.random.Generator, side: int = FACE_PX) -> Picture:
    """Draw a picture whose stripes turn with the label, so that a small net learns it in seconds.

    They cross their mirror image, so that a mirrored picture is still one of its label.
    """
    angle = np.pi / 2 * label / 6
    y, x = np.mgrid[0:side, 0:side]
    across, down = (2 * np.pi * step / 9 for step in (x * np.cos(angle), y * np.sin(angle)))
    wave = np.sin(across + rng.uniform(0, 6)) * np.cos(down + rng.uniform(-0.8, 0.8))
    return np.asarray(np.clip(128 + 80 * wave + rng.normal(0, 25, wave.shape), 0, 255)).astype(np.uint8)


def pixels_text(picture: Picture) -> str:
    """Write a picture as the CSV files do."""
    return " ".join(map(str, picture.ravel().tolist()))


def write_fer_csv(
    path: Path,
    rows: Sequence[tuple[str, str, str]],
    *,
    header: str = "emotion,pixels,Usage",
) -> Path:
    """Write rows of (emotion, pixels, usage)."""
    lines = [header, *(",".join(row) for row in rows)]
    path.write_text("\n".join(lines) + "\n")
    return path


def fer_rows(count: int, *, classes: int = 7, seed: int = 0, usage: str = "Training") -> list[tuple[str, str, str]]:
    """Make rows that go through the classes in turn."""
    rng = np.random.default_rng(seed)
    return [(str(row % classes), pixels_text(striped_face(row % classes, rng)), usage) for row in range(count)]


def keypoint_rows(count: int, *, seed: int = 0) -> tuple[NDArray[np.float32], list[Picture]]:
    """Make points (N, 15, 2) and pictures that are brighter around them."""
    rng = np.random.default_rng(seed)
    points = rng.uniform(20, 75, (count, KEYPOINT_COUNT, 2)).round(2).astype(np.float32)
    return points, [striped_face(row, rng, INPUT_SIZE_PX) for row in range(count)]


def write_keypoint_csv(path: Path, cells: Sequence[Sequence[str]], pictures: Sequence[Picture]) -> Path:
    """Write rows of 30 cells and a picture each."""
    lines = [",".join((*COORDINATE_COLUMNS, "Image"))]
    lines += [",".join((*row, pixels_text(picture))) for row, picture in zip(cells, pictures, strict=True)]
    path.write_text("\n".join(lines) + "\n")
    return path


def point_cells(points: NDArray[np.float32]) -> list[list[str]]:
    """Write points (N, 15, 2) as cells; NaN becomes an empty one."""
    flat = points.reshape(len(points), -1)
    return [["" if np.isnan(value) else f"{value:.2f}" for value in row] for row in flat]
