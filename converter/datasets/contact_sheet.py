"""A picture of pictures: some faces of each class or source, for the eye of whoever owns the data."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from converter.datasets.types import CLASS_NAMES, EmotionData, KeypointData

_COLUMNS = 12
_ROWS_PER_NAME = 2
TILE_PX = 120
_TITLE_PX = 24
_POINT_BGR = (0, 255, 0)
_INK_BGR = (255, 255, 255)

Sheet = NDArray[np.uint8]


def emotion_sheet(data: EmotionData, rng: np.random.Generator) -> Sheet:
    """Draw faces of every class that occurs; returns (h, w, 3) BGR."""
    rows = []
    for label, name in enumerate(CLASS_NAMES):
        members = np.flatnonzero(data.labels == label)
        if len(members):
            tiles = [_tile(data.images[row]) for row in drawn(members, rng)]
            rows.append(block(f"{name} ({len(members)})", tiles))
    return np.concatenate(rows)


def keypoint_sheet(data: KeypointData, rng: np.random.Generator) -> Sheet:
    """Draw faces of every source with their points; returns (h, w, 3) BGR."""
    rows = []
    crops = data.crops
    for name in np.unique(data.source):
        members = np.flatnonzero(data.source == name)
        tiles = [_with_points(crops[row], data.points[row]) for row in drawn(members, rng)]
        rows.append(block(f"{name} ({len(members)})", tiles))
    return np.concatenate(rows)


def drawn(members: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw as many rows as a block shows, in their order."""
    return np.sort(rng.choice(members, min(len(members), _COLUMNS * _ROWS_PER_NAME), replace=False))


def _tile(face: NDArray[np.uint8]) -> Sheet:
    grown = cv2.resize(face, (TILE_PX, TILE_PX), interpolation=cv2.INTER_NEAREST)
    return np.asarray(cv2.cvtColor(grown, cv2.COLOR_GRAY2BGR), np.uint8)


def _with_points(face: NDArray[np.uint8], points: NDArray[np.float32]) -> Sheet:
    tile = _tile(face)
    scale = TILE_PX / face.shape[0]
    for x, y in points[np.isfinite(points).all(axis=1)]:
        center = (round((float(x) + 0.5) * scale - 0.5), round((float(y) + 0.5) * scale - 0.5))
        cv2.circle(tile, center, 2, _POINT_BGR, thickness=-1)
    return tile


def block(title: str, tiles: list[Sheet]) -> Sheet:
    """Put tiles in rows below a title."""
    empty = np.zeros((TILE_PX, TILE_PX, 3), np.uint8)
    header = np.zeros((_TITLE_PX, _COLUMNS * TILE_PX, 3), np.uint8)
    cv2.putText(header, title, (4, _TITLE_PX - 7), cv2.FONT_HERSHEY_SIMPLEX, 0.5, _INK_BGR)
    full = tiles + [empty] * (-len(tiles) % _COLUMNS)
    lines = [np.concatenate(full[start : start + _COLUMNS], axis=1) for start in range(0, len(full), _COLUMNS)]
    return np.concatenate([header, *lines])
