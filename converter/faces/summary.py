"""What pictures with face boxes hold, counted and drawn, for the eye of whoever owns the data."""

from __future__ import annotations

from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from converter.datasets.contact_sheet import TILE_PX, Sheet, block, drawn
from converter.faces.data import Boxes, DetectionData, Picture, size_of

SIZES_PX: Final = (0, 8, 16, 32, 64, 128)
"""Lower ends of the ranges that faces are counted in: square root of a box's area, pixels of the picture."""

_MARGIN = 0.6
"""Shown around a box, of its longer side."""

_FACE_BGR, _TURNED_BGR, _IGNORED_BGR = (0, 255, 0), (255, 160, 0), (0, 255, 255)


def summarize_detection(data: DetectionData) -> dict[str, Any]:
    """Count pictures, boxes by kind, and the faces to find by size."""
    sizes, ignored, turned = _joined(data)
    counts = np.bincount(_range_of(sizes[~ignored]), minlength=len(SIZES_PX))
    return {
        "kind": "detection",
        "pictures": len(data),
        "without_faces": int((~data.has_faces).sum()),
        "groups": len(np.unique(data.group)),
        "boxes": len(sizes),
        "to_find": int((~ignored).sum()),
        "to_ignore": int(ignored.sum()),
        "unusual_pose": int((turned & ~ignored).sum()),
        "to_find_by_size_px": dict(zip(map(_name, range(len(SIZES_PX))), counts.tolist(), strict=True)),
    }


def detection_sheet(data: DetectionData, rng: np.random.Generator) -> Sheet:
    """Draw faces of every size that occurs, those of unusual pose and what is to be ignored; returns (h, w, 3) BGR."""
    places = [(scene, index) for scene in data.scenes for index in range(len(scene.boxes))]
    sizes, ignored, turned = _joined(data)
    ranges = _range_of(sizes)
    kinds = [(f"{_name(k)} px", ~ignored & ~turned & (ranges == k), _FACE_BGR) for k in range(len(SIZES_PX))]
    kinds += [("unusual pose", turned & ~ignored, _TURNED_BGR), ("to ignore", ignored, _IGNORED_BGR)]
    blocks = []
    for name, mask, colour in kinds:
        members = np.flatnonzero(mask)
        if len(members):
            chosen = (places[row] for row in drawn(members, rng))
            tiles = [_tile(scene.pixels, scene.boxes[index], colour) for scene, index in chosen]
            blocks.append(block(f"{name} ({len(members)})", tiles))
    return np.concatenate(blocks or [block("no faces", [])])


def _joined(data: DetectionData) -> tuple[NDArray[np.float32], NDArray[np.bool_], NDArray[np.bool_]]:
    """Size, whether to ignore and whether turned of every box of all pictures."""
    sizes = [size_of(scene.boxes) for scene in data.scenes]
    ignored = [scene.ignored for scene in data.scenes]
    turned = [np.zeros_like(scene.ignored) if scene.turned is None else scene.turned for scene in data.scenes]
    return np.concatenate(sizes), np.concatenate(ignored), np.concatenate(turned)


def _range_of(sizes: NDArray[np.float32]) -> NDArray[np.int64]:
    return np.searchsorted(SIZES_PX, sizes, side="right") - 1


def _name(index: int) -> str:
    low, high = SIZES_PX[index], SIZES_PX[index + 1 : index + 2]
    return f"{low}-{high[0]}" if high else f"{low} and more"


def _tile(pixels: Picture, box: Boxes, colour: tuple[int, int, int]) -> Sheet:
    """Show a box and what is around it."""
    side = float(max(box[2:] - box[:2]).item()) * (1 + 2 * _MARGIN)
    scale = TILE_PX / max(side, 1.0)
    left, top = ((box[:2] + box[2:]) / 2 - side / 2).tolist()
    affine = np.array([[scale, 0, -scale * left], [0, scale, -scale * top]])
    tile = cv2.cvtColor(cv2.warpAffine(pixels, affine, (TILE_PX, TILE_PX)), cv2.COLOR_GRAY2BGR)
    corners = np.round((box - np.array([left, top, left, top])) * scale).astype(int).tolist()
    return np.asarray(cv2.rectangle(tile, corners[:2], corners[2:], colour), np.uint8)
