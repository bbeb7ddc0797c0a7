"""Frames that can be recognised anywhere: a face for the chain to read, and tiles of noise that stand nowhere else."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.config import load_config
from edge_runtime.datatypes import Frame
from edge_runtime.pipeline import FramePipeline
from edge_runtime.sources.demo import Demo
from edge_runtime.wiring import Pipeline

Pixels = NDArray[np.uint8]

TILE_PX: Final = 32
TILES_AT: Final = ((0, 0), (608, 0), (0, 448), (608, 448), (24, 220), (590, 200), (300, 440))
"""Upper left corners, frame pixels: four in the corners, three beside and below the face."""


def tiles() -> list[Pixels]:
    """(32, 32) noise, the same in every run."""
    rng = np.random.default_rng(20261122)
    return [rng.integers(0, 256, (TILE_PX, TILE_PX), dtype=np.uint8) for _ in TILES_AT]


def frames(count: int) -> list[Pixels]:
    """(480, 640) frames of the demo with the tiles in them."""
    pictures = []
    with Demo() as demo:
        for frame, _ in zip(demo.frames(), range(count), strict=False):
            picture = frame.pixels.copy()
            for (x, y), tile in zip(TILES_AT, tiles(), strict=True):
                picture[y : y + TILE_PX, x : x + TILE_PX] = tile
            pictures.append(picture)
    return pictures


def write_pictures(folder: Path, count: int) -> Path:
    """Write the frames as PNG files, which lose nothing."""
    folder.mkdir(parents=True)
    for number, picture in enumerate(frames(count)):
        assert cv2.imwrite(str(folder / f"{number:04d}.png"), picture)
    return folder


def crops(count: int) -> list[Pixels]:
    """Every crop that the two nets are fed while the chain reads these frames."""
    found: list[Pixels] = []
    with Pipeline.from_config(load_config()) as pipeline:
        _overhear(pipeline, found)
        for number, picture in enumerate(frames(count)):
            pipeline.process(Frame(number, number / 25.0, picture))
    return found


def _overhear(pipeline: FramePipeline, found: list[Pixels]) -> None:
    """Note what the nets are asked about."""
    keypoints, emotion = pipeline.parts.keypoints, pipeline.parts.emotion
    points, scores = keypoints.points, emotion.scores

    def noted_points(crop: Pixels) -> NDArray[np.float32]:
        found.append(crop.copy())
        return points(crop)

    def noted_scores(crop: Pixels) -> object:
        found.append(crop.copy())
        return scores(crop)

    keypoints.points = noted_points  # type: ignore[method-assign]
    emotion.scores = noted_scores  # type: ignore[method-assign, assignment]
