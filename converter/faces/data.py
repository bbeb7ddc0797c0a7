"""Pictures with face boxes, and pictures without faces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from converter.datasets.npz import read_arrays
from converter.errors import DataError

KEYS = ("jpeg", "offsets", "boxes", "box_offsets", "flags", "group")
_IGNORE_COLUMN, _POSE_COLUMN = 2, 3

Picture = NDArray[np.uint8]
Boxes = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Scene:
    """One picture and its faces."""

    pixels: Picture
    """(h, w) grey."""

    boxes: Boxes
    """(N, 4) x0, y0, x1, y1 in pixels, half-open."""

    ignored: NDArray[np.bool_]
    """(N,) True: neither a face to find nor background."""

    turned: NDArray[np.bool_] | None = None
    """(N,) True: a face in an unusual pose, in profile for instance; None = not known."""

    cutout: bool = False
    """A face that was cut out of its photograph, to be laid into other pictures."""


@dataclass(frozen=True, eq=False)
class DetectionData:
    """Scenes and what must stay on one side of a split."""

    scenes: tuple[Scene, ...]

    group: NDArray[np.str_]
    """(N,) pictures that belong together."""

    def __post_init__(self) -> None:
        """Check that both speak of the same pictures."""
        if len(self.scenes) != len(self.group):
            raise DataError(f"{len(self.scenes)} pictures, but {len(self.group)} groups")

    def __len__(self) -> int:
        """Count the pictures."""
        return len(self.scenes)

    @property
    def has_faces(self) -> NDArray[np.bool_]:
        """(N,) whether a picture holds a box, to find or to ignore."""
        return np.array([len(scene.boxes) > 0 for scene in self.scenes], bool)

    @property
    def is_cutout(self) -> NDArray[np.bool_]:
        """(N,) whether a picture is a face to be laid into others."""
        return np.array([scene.cutout for scene in self.scenes], bool)

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> DetectionData:
        """Choose pictures by index or mask."""
        indices = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows
        return DetectionData(tuple(self.scenes[index] for index in indices), self.group[indices])


def size_of(boxes: Boxes) -> NDArray[np.float32]:
    """(N, 4) boxes -> (N,) square root of the area, pixels."""
    return np.asarray(np.sqrt(np.clip(boxes[:, 2:] - boxes[:, :2], 0, None).prod(axis=1)), np.float32)


def read_detection(files: Sequence[Path]) -> DetectionData:
    """Read .npz files with JPEG pictures and boxes, one after the other.

    Raises:
        DataError: a file is not of this form, or a picture is damaged.
    """
    return joined([_read_file(path) for path in files])


def joined(parts: Sequence[DetectionData]) -> DetectionData:
    """Put scenes of several files one after the other."""
    scenes = tuple(scene for part in parts for scene in part.scenes)
    return DetectionData(scenes, np.concatenate([part.group for part in parts]))


def _read_file(path: Path) -> DetectionData:
    arrays = read_arrays(path)
    missing = [key for key in KEYS if key not in arrays]
    if missing:
        raise DataError(f"{path}: expected pictures with face boxes (keys {', '.join(KEYS)}), found no {missing[0]}")
    corners = np.asarray(arrays["boxes"], np.float32).copy()
    corners[:, 2:] += corners[:, :2]  # x, y, w, h -> x0, y0, x1, y1
    flags = np.asarray(arrays["flags"], np.uint8) > 0
    ignored, turned = flags[:, _IGNORE_COLUMN], flags[:, _POSE_COLUMN]
    jpeg, ends = np.asarray(arrays["jpeg"], np.uint8), np.asarray(arrays["offsets"], np.int64)
    box_ends = np.asarray(arrays["box_offsets"], np.int64)
    scenes = []
    for index in range(len(ends) - 1):
        rows = slice(box_ends[index], box_ends[index + 1])
        pixels = _decoded(jpeg[ends[index] : ends[index + 1]], f"{path}: picture {index}")
        scenes.append(Scene(pixels, corners[rows], ignored[rows], turned[rows]))
    return DetectionData(tuple(scenes), np.asarray(arrays["group"], np.str_))


def _decoded(jpeg: Picture, where: str) -> Picture:
    pixels = cv2.imdecode(jpeg, cv2.IMREAD_GRAYSCALE)
    if pixels is None:
        raise DataError(f"{where}: not a JPEG picture")
    return np.asarray(pixels, np.uint8)
