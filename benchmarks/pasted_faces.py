"""The whole chain on faces of known emotion: pasted into frames, found, pointed, cropped and read.

    python -m benchmarks pasted_faces --faces fer2013_train.npz --grounds val_neg.npz [--limit N]

Every PublicTest face of the five classes is enlarged 2 to 4 times, rolled by up to 15 degrees, and laid at a drawn
place of a 640x480 frame without faces; take grounds that no net was trained on. The frame is shown to a new chain three
times (a face is believed at its second detection, if that is a tenth of a second after the first). A face that is not
found counts as a wrong answer. Beside it stands the same bundle on the bare faces.
"""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.environment import write
from converter.answers import int8_logits
from converter.console import track
from converter.datasets.read import read_emotion
from converter.datasets.types import EmotionData
from converter.evaluation import rows_of
from converter.faces.data import Scene, read_detection
from edge_runtime.bundle import builtin_bundle_path, load_bundle
from edge_runtime.config import load_config
from edge_runtime.contract import EMOTION_LABELS
from edge_runtime.datatypes import Frame
from edge_runtime.geometry import Box
from edge_runtime.wiring import Pipeline

WIDTH, HEIGHT = 640, 480
_LEAST_SCALE, _MOST_SCALE = 2.0, 4.0
_MOST_ROLL_DEG = 15.0
_SHOWN = 3
_SEED = 7

Picture = NDArray[np.uint8]


def main() -> int:
    """Measure both ways, print and write results/pasted_faces.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faces", type=Path, required=True, metavar="FILE")
    parser.add_argument("--grounds", type=Path, required=True, metavar="FILE")
    parser.add_argument("--limit", type=int, metavar="N", help="take N faces, evenly spread")
    args = parser.parse_args(sys.argv[2:])
    cv2.setNumThreads(1)
    public = rows_of(read_emotion([args.faces]), "public")
    faces = public.take(public.labels < len(EMOTION_LABELS))
    if args.limit:
        faces = faces.take(np.linspace(0, len(faces) - 1, args.limit).astype(np.int64))
    figures = compared(faces, read_detection([args.grounds]).scenes)
    print(figures)
    write("pasted_faces", "python -m benchmarks pasted_faces --faces FILE --grounds FILE", figures)
    return 0


def compared(faces: EmotionData, grounds: tuple[Scene, ...]) -> dict[str, Any]:
    """Accuracy of the chain and of the bare net on the same faces."""
    bare = int8_logits(load_bundle(builtin_bundle_path("emotion"), kind="emotion"), faces.images)
    bare_answers = bare[:, : len(EMOTION_LABELS)].argmax(axis=1)
    rng = np.random.default_rng(_SEED)
    answers = []
    with Pipeline.from_config(load_config()) as pipeline:
        for face in track(list(faces.images), "frames"):
            frame, box = pasted(face, grounds[int(rng.integers(len(grounds)))].pixels, rng)
            answers.append(answer_of_chain(pipeline, frame, box))
        detector = pipeline.parts.detector.name
    chain = np.array(answers)
    found = chain >= 0
    right, bare_right = chain == faces.labels, bare_answers == faces.labels
    return {
        "n": len(faces),
        "detector": detector,
        "found": round(float(found.mean()), 4),
        "accuracy_of_chain": round(float(right.mean()), 4),
        "accuracy_of_found": round(float(right[found].mean()), 4),
        "accuracy_of_bare_faces": round(float(bare_right.mean()), 4),
        "points_lost": round(100 * float(bare_right.mean() - right.mean()), 2),
        "answers_that_agree": round(float((chain == bare_answers)[found].mean()), 4),
    }


def pasted(face: Picture, ground: Picture, rng: np.random.Generator) -> tuple[Picture, Box]:
    """Lay a face into a frame; return the frame and the square that the face fills."""
    height, width = ground.shape
    cover = max(WIDTH / width, HEIGHT / height)
    large = cv2.resize(ground, (math.ceil(width * cover), math.ceil(height * cover)), interpolation=cv2.INTER_LINEAR)
    frame: Picture = np.array(large[:HEIGHT, :WIDTH], np.uint8)
    scale = rng.uniform(_LEAST_SCALE, _MOST_SCALE)
    side = scale * face.shape[0]
    angle = math.radians(rng.uniform(-_MOST_ROLL_DEG, _MOST_ROLL_DEG))
    reach = side / 2 * (math.cos(angle) + abs(math.sin(angle)))
    center = np.array([rng.uniform(reach, WIDTH - reach), rng.uniform(reach, HEIGHT - reach)])
    c, s = scale * math.cos(angle), scale * math.sin(angle)
    linear = np.array([[c, -s], [s, c]])
    affine = np.hstack([linear, (center - linear @ np.full(2, (face.shape[0] - 1) / 2))[:, np.newaxis]])
    size = (WIDTH, HEIGHT)
    layer = cv2.warpAffine(face, affine, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    inside = cv2.warpAffine(np.full_like(face, 255), affine, size, flags=cv2.INTER_NEAREST)
    np.copyto(frame, np.asarray(layer, np.uint8), where=inside > 0)
    half = side / 2
    x, y = float(center[0]), float(center[1])
    return frame, Box(x - half, y - half, x + half, y + half)


def answer_of_chain(pipeline: Pipeline, frame: Picture, box: Box) -> int:
    """Index of the leading label of the face in the square; -1 when no face was found there."""
    pipeline.forget_faces()
    for index in range(_SHOWN):
        seen = pipeline.process(Frame(index, index / 10, frame))
    inside = [face for face in seen.faces if _holds(box, face.box.center)]
    if not inside:
        return -1
    return EMOTION_LABELS.index(max(inside, key=lambda face: face.box.area).emotion.leading)


def _holds(box: Box, point: tuple[float, float]) -> bool:
    return box.x0 <= point[0] <= box.x1 and box.y0 <= point[1] <= box.y1


if __name__ == "__main__":
    sys.exit(main())
