"""Judges any detector on photographs with annotated faces, as a camera would show them.

The rules: every photograph is shrunk (never enlarged) until it fits the frame and laid in its middle on black. A face's
size is the short side of its box in the frame. Faces that are marked as invalid, and faces outside the range of sizes
that is judged, are ignored: neither hits nor misses. A find without a face is a false alarm of the range that its own
short side falls in. A find is a hit at an IoU of 0.5 or more; best scores choose first, every face is hit once.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from converter.console import track
from converter.errors import DataError
from converter.faces.data import Boxes, Picture, Scene, read_detection
from converter.faces.matching import FALSE_ALARM, HIT, MIN_IOU, match
from converter.figures import Figures
from edge_runtime.bundle import Bundle
from edge_runtime.datatypes import FaceBox
from edge_runtime.decode import Candidates, shorter_sides
from edge_runtime.detectors.faces import FacesDetector
from edge_runtime.interfaces import Detector
from edge_runtime.interpreter import open_interpreter

RANGES: Final = {"over_60": (60.0, np.inf), "from_40_to_60": (40.0, 60.0), "from_20_to_40": (20.0, 40.0)}
"""Short side of a face in the frame, pixels."""

_Z_95 = 1.959964
_WARM_UP = 3
_CARD_FRAME = (640, 480)


class _Face(msgspec.Struct, frozen=True):
    box: tuple[float, float, float, float]
    invalid: int = 0


class _Entry(msgspec.Struct, frozen=True):
    file: str
    faces: tuple[_Face, ...]


@dataclass(frozen=True, eq=False)
class Judged:
    """One frame, what is in it and what was found."""

    scene: Scene
    """In frame pixels."""
    found: Candidates
    """In frame pixels, best first."""
    seconds: float


def read_scenes(path: Path) -> list[Scene]:
    """Read a folder with scenes.json (in it or beside it), or an .npz of pictures with face boxes."""
    if path.is_file():
        return list(read_detection([path]).scenes)
    folders = (path, path.parent)
    listed = next((folder / "scenes.json" for folder in folders if (folder / "scenes.json").is_file()), None)
    if listed is None:
        raise DataError(f"{path}: no scenes.json in it or beside it, and no .npz file; expected annotated pictures")
    try:
        entries = msgspec.json.decode(listed.read_bytes(), type=list[_Entry])
    except (msgspec.DecodeError, msgspec.ValidationError) as error:
        raise DataError(f"{listed}: {error}; expected a list of file and faces with box and invalid") from error
    return [_scene(listed.parent / entry.file, entry) for entry in entries]


def _scene(path: Path, entry: _Entry) -> Scene:
    pixels = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if pixels is None:
        raise DataError(f"{path}: listed in scenes.json, but no picture that can be read")
    corners = np.array([face.box for face in entry.faces], np.float32).reshape(-1, 4)
    corners[:, 2:] += corners[:, :2]
    return Scene(np.asarray(pixels, np.uint8), corners, np.array([face.invalid > 0 for face in entry.faces], bool))


def framed(scene: Scene, width: int, height: int) -> Scene:
    """Lay a photograph into the middle of a black frame."""
    rows, columns = scene.pixels.shape
    factor = min(width / columns, height / rows, 1.0)
    size = (max(round(columns * factor), 1), max(round(rows * factor), 1))
    small = scene.pixels if factor == 1.0 else cv2.resize(scene.pixels, size, interpolation=cv2.INTER_AREA)
    left, top = (width - size[0]) // 2, (height - size[1]) // 2
    pixels = np.zeros((height, width), np.uint8)
    pixels[top : top + size[1], left : left + size[0]] = small
    moved = scene.boxes * np.float32(factor) + np.array([left, top, left, top], np.float32)
    return Scene(pixels, moved, scene.ignored)


def judge_detector(detector: Detector, scenes: Sequence[Scene], *, width: int, height: int) -> Figures:
    """Run a detector over all scenes, one frame after the other, and judge every range of sizes."""
    blank: Picture = np.zeros((height, width), np.uint8)
    for _ in range(_WARM_UP):
        detector.detect(blank)
    judged = [_judged(detector, framed(scene, width, height)) for scene in track(scenes, detector.name)]
    taken_ms = 1000.0 * np.array([one.seconds for one in judged])
    return {
        "pictures": len(judged),
        "frame": f"{width}x{height}",
        "min_iou": MIN_IOU,
        **{name: _range_figures(judged, *limits) for name, limits in RANGES.items()},
        "ms": round(float(np.median(taken_ms)), 3),
        "ms_p95": round(float(np.percentile(taken_ms, 95)), 3),
    }


def _judged(detector: Detector, scene: Scene) -> Judged:
    started = time.perf_counter()
    found = detector.detect(scene.pixels)
    seconds = time.perf_counter() - started
    return Judged(scene, as_candidates(found), seconds)


def as_candidates(found: Sequence[FaceBox]) -> Candidates:
    """Boxes of a detector as arrays."""
    boxes = [(face.box.x0, face.box.y0, face.box.x1, face.box.y1) for face in found]
    scores = [face.score for face in found]
    return Candidates(np.array(boxes, np.float32).reshape(-1, 4), np.array(scores, np.float32))


def _range_figures(judged: Sequence[Judged], low: float, high: float) -> Figures:
    faces, hits, alarms = 0, 0, 0
    for one in judged:
        outside = ~_between(one.scene.boxes, low, high) | one.scene.ignored
        verdicts = match(one.found, one.scene.boxes, outside).verdicts
        faces += int((~outside).sum())
        hits += int((verdicts == HIT).sum())
        alarms += int(((verdicts == FALSE_ALARM) & _between(one.found.boxes, low, high)).sum())
    return {
        "n": faces,
        "recall": round(hits / faces, 4) if faces else None,
        "recall_ci95": wilson(hits, faces),
        "finds": hits + alarms,
        "precision": round(hits / (hits + alarms), 4) if hits + alarms else None,
        "precision_ci95": wilson(hits, hits + alarms),
    }


def _between(boxes: Boxes, low: float, high: float) -> NDArray[np.bool_]:
    short = shorter_sides(boxes)
    return np.asarray((short >= low) & (short < high))


def wilson(hits: int, trials: int) -> list[float] | None:
    """95 % interval of a share, as if trials were independent (faces of one picture are not quite).

    Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference", 1927.
    """
    if trials == 0:
        return None
    share, square = hits / trials, _Z_95**2 / trials
    middle = (share + square / 2) / (1 + square)
    half = _Z_95 / (1 + square) * float(np.sqrt(share * (1 - share) / trials + square / (4 * trials)))
    return [round(middle - half, 4), round(middle + half, 4)]


def card_figures(bundle: Bundle, data: Path) -> Figures:
    """Judge a bundle on annotated pictures, in the form that a model card shows."""
    detector = FacesDetector(bundle, open_interpreter(bundle.model))
    figures = judge_detector(detector, read_scenes(data), width=_CARD_FRAME[0], height=_CARD_FRAME[1])
    card: Figures = {"part": "all", "recall": {}, "precision": {}, "scenes": figures}
    for name in RANGES:
        of_range = figures[name]
        for what, count in (("recall", "n"), ("precision", "finds")):
            title = f"{name.replace('_', ' ')} px (n {of_range[count]}, 95 % interval {_interval(of_range, what)})"
            card[what][title] = float("nan") if of_range[what] is None else of_range[what]
    return card


def _interval(figures: Figures, what: str) -> str:
    ends = figures[f"{what}_ci95"]
    return "none" if ends is None else f"{100 * ends[0]:.1f} to {100 * ends[1]:.1f} %"
