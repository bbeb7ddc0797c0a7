"""Fit the tight box inside Haar's square, and measure the detector: the figures in edge_runtime/detectors/haar.py.

    python -m tests.detectors.fit_haar DATA/val_pos.npz DATA/val_neg.npz

Boxes are fitted on every second picture and measured on the others, through the detector itself.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.datatypes import FaceBox
from edge_runtime.detectors.haar import CASCADE_FILE, CENTER_X, CENTER_Y, HEIGHT, WIDTH, HaarDetector
from edge_runtime.geometry import Box, iou

MIN_FACE_PX = 20
"""Smaller faces count neither as a hit nor as a miss: the cascade's window is 20 pixels."""
SEARCH_WIDTH_PX = 320


@dataclass(frozen=True)
class Scene:
    """One picture with its faces."""

    pixels: NDArray[np.uint8]
    faces: tuple[Box, ...]
    counts: tuple[bool, ...]
    """Per face: large enough and not marked `ignore`."""


def scenes(path: Path) -> Iterator[Scene]:
    """Yield the pictures of a detection file."""
    with np.load(path, allow_pickle=False) as archive:
        data = {key: archive[key] for key in ("jpeg", "offsets", "boxes", "box_offsets", "flags")}
    ends, box_ends = data["offsets"], data["box_offsets"]
    for i in range(len(ends) - 1):
        pixels = np.asarray(cv2.imdecode(data["jpeg"][ends[i] : ends[i + 1]], cv2.IMREAD_GRAYSCALE), dtype=np.uint8)
        rows = slice(box_ends[i], box_ends[i + 1])
        faces = tuple(Box(float(x), float(y), float(x + w), float(y + h)) for x, y, w, h in data["boxes"][rows])
        ignored = data["flags"][rows, 2]
        counts = tuple(
            min(face.width, face.height) >= MIN_FACE_PX and not skip for face, skip in zip(faces, ignored, strict=True)
        )
        yield Scene(pixels, faces, counts)


def fitted(found: Sequence[Scene]) -> NDArray[np.float64]:
    """Return the median centre x, y, width and height of the annotated box in a square of side 1."""
    cascade = cv2.CascadeClassifier(importlib.import_module("cv2.data").haarcascades + CASCADE_FILE)
    inside = []
    for scene in found:
        for x, y, side, _ in cascade.detectMultiScale(scene.pixels, 1.1, 2, minSize=(MIN_FACE_PX, MIN_FACE_PX)):
            for face in scene.faces:
                center = (np.array(face.center) - (x, y)) / side
                # The same face, whatever the box: else a wrong fit would choose its own evidence.
                if abs(center - 0.5).max() < 0.25 and 0.4 < face.height / side < 1.8:
                    inside.append((*center, face.width / side, face.height / side))
    return np.median(np.array(inside), axis=0)


def outcome(scene: Scene, found: Sequence[FaceBox]) -> tuple[list[float], int, int]:
    """Match finds with faces, best first: IoU of each hit, number of false finds, number of missed faces."""
    hits, false_finds, free = [], 0, set(range(len(scene.faces)))
    for face in found:
        overlap, best = max(((iou(face.box, scene.faces[i]), i) for i in free), default=(0.0, -1))
        if overlap < 0.5:
            false_finds += 1
            continue
        free.discard(best)
        if scene.counts[best]:
            hits.append(overlap)
    return hits, false_finds, sum(scene.counts[i] for i in free)


def main() -> None:
    """Print the fit, recall, precision, overlap, false finds and time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("positives", type=Path)
    parser.add_argument("negatives", type=Path)
    args = parser.parse_args()
    cv2.setNumThreads(1)
    found = list(scenes(args.positives))
    fit = ", ".join(f"{value:.3f}" for value in fitted(found[::2]))
    say(f"fitted center x, y, width, height: {fit} (in the code: {CENTER_X}, {CENTER_Y}, {WIDTH}, {HEIGHT})")
    detector = HaarDetector(min_face_px=MIN_FACE_PX, search_width_px=SEARCH_WIDTH_PX)
    hits: list[float] = []
    false_finds = missed = 0
    for scene in found[1::2]:
        overlaps, wrong, lost = outcome(scene, detector.detect(scene.pixels))
        hits, false_finds, missed = hits + overlaps, false_finds + wrong, missed + lost
    say(
        f"{len(found[1::2])} pictures: recall {len(hits) / (len(hits) + missed):.3f}, precision "
        f"{len(hits) / (len(hits) + false_finds):.3f}, mean IoU of the hits {np.mean(hits):.3f}"
    )
    empty = [len(detector.detect(scene.pixels)) for scene in scenes(args.negatives)]
    say(f"{len(empty)} pictures without a face: {sum(empty)} false finds")
    frames = [cv2.resize(scene.pixels, (640, 480)) for scene in found[::8]]
    start = time.thread_time()
    for frame in frames:
        detector.detect(np.asarray(frame, dtype=np.uint8))
    say(f"640x480 searched at 320: {(time.thread_time() - start) / len(frames) * 1000:.1f} ms of one processor a frame")


def say(line: str) -> None:
    """Write one line of the report."""
    sys.stdout.write(line + "\n")


if __name__ == "__main__":
    main()
