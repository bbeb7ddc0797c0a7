"""How still the chain holds: points of a face that does not move, points under a detector's box that does.

    python -m benchmarks steadiness --media DIR --run KEYPOINTS_RUN

- Still face: one frame of a clip is shown 150 times with fresh sensor noise (standard deviation 3 grey levels). Motion
  of a point is the distance between two frames, pixels of the frame; given raw (as the net answers) and smoothed.
- Moved box: the validation faces of a keypoint run (people and pictures that were not trained on, in wide pictures) are
  cropped as the data says and with scale +-10 %, shift +-10 % of the crop and roll +-15 degrees, each alone and
  together.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.environment import write
from converter import metrics
from converter.augment import move, warp
from converter.datasets.types import KeypointData
from converter.run_folder import RunFolder
from converter.tasks import KeypointTask, prepare_run
from edge_runtime.bundle import builtin_bundle_path, load_bundle
from edge_runtime.config import load_config
from edge_runtime.contract import INPUT_SIZE_PX
from edge_runtime.datatypes import Frame
from edge_runtime.interpreter import open_interpreter
from edge_runtime.models import KeypointModel
from edge_runtime.wiring import Pipeline, open_source

_STILL_FRAMES, _WARM_UP = 150, 30
_NOISE = 3.0
_FPS = 30.0
_SCALE, _SHIFT_PX, _ROLL_DEG = 0.10, 0.10 * INPUT_SIZE_PX, 15.0
_SEED = 11

Affine = NDArray[np.float64]


def main() -> int:
    """Measure both and write results/steadiness.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--media", type=Path, required=True, metavar="DIR")
    parser.add_argument("--run", type=Path, required=True, metavar="DIR", dest="run_dir")
    args = parser.parse_args(sys.argv[2:])
    cv2.setNumThreads(1)
    still = {}
    for entry in json.loads((args.media / "clips.json").read_text()):
        if entry["faces_min"] == entry["faces_max"] == 1:
            still[Path(entry["file"]).stem] = row = still_face(args.media / entry["file"])
            print(Path(entry["file"]).stem, row, flush=True)
    task = prepare_run(RunFolder(args.run_dir))
    if not isinstance(task, KeypointTask):
        raise SystemExit(f"{args.run_dir}: expected a run of a keypoint net, found {task.recipe.kind}")
    moved = moved_boxes(task.validation)
    print(moved)
    command = "python -m benchmarks steadiness --media DIR --run RUN"
    write("steadiness", command, {"still_face": still, "moved_box": moved})
    return 0


def still_face(clip: Path) -> dict[str, float]:
    """Mean and largest motion of the points per frame while nothing moves; in frame pixels."""
    rng = np.random.default_rng(_SEED)
    with open_source(str(clip)) as source:
        picture = next(iter(source.frames())).pixels
    raw, steady, sizes = [], [], []
    with Pipeline.from_config(load_config()) as pipeline:
        for index in range(_WARM_UP + _STILL_FRAMES):
            noisy = picture + rng.normal(0, _NOISE, picture.shape)
            seen = pipeline.process(Frame(index, index / _FPS, np.clip(noisy + 0.5, 0, 255).astype(np.uint8)))
            points = pipeline.parts.tracker.confirmed[0].points if pipeline.parts.tracker.confirmed else None
            if index >= _WARM_UP and seen.primary is not None and points is not None:
                raw.append(points.copy())
                steady.append(seen.primary.keypoints.points.copy())
                sizes.append(seen.primary.size_px)
    if len(raw) < 2:
        return {"frames": len(raw)}
    return {
        "frames": len(raw),
        "face_px": round(float(np.mean(sizes)), 1),
        "raw_px_per_frame": _motion(raw),
        "smoothed_px_per_frame": _motion(steady),
    }


def _motion(points: list[NDArray[np.float32]]) -> float:
    return round(float(np.linalg.norm(np.diff(np.stack(points), axis=0), axis=-1).mean()), 3)


def moved_boxes(faces: KeypointData) -> dict[str, Any]:
    """RMSE in pixels of the unmoved crop, for every way to move the box."""
    bundle = load_bundle(builtin_bundle_path("keypoints"), kind="keypoints")
    model = KeypointModel(bundle, open_interpreter(bundle.model))
    ways = {
        "as_the_data": (0.0, 0.0, 0.0),
        "scale": (_SCALE, 0.0, 0.0),
        "shift": (0.0, _SHIFT_PX, 0.0),
        "roll": (0.0, 0.0, _ROLL_DEG),
        "all_three": (_SCALE, _SHIFT_PX, _ROLL_DEG),
    }
    rmse = {name: _rmse(model, faces, *limits) for name, limits in ways.items()}
    unmoved = rmse["as_the_data"]
    return {name: {"rmse_px": round(value, 4), "growth": round(value / unmoved - 1, 4)} for name, value in rmse.items()}


def _rmse(model: KeypointModel, faces: KeypointData, scale: float, shift_px: float, roll_deg: float) -> float:
    rng = np.random.default_rng(_SEED)
    found = []
    for image in faces.images:
        affine = _drawn(rng, image.shape[0], scale, shift_px, roll_deg)
        back = _inverse(affine)
        found.append(move(model.points(warp(image, affine)), back) - faces.margin_px)
    return metrics.rmse_px(np.stack(found), faces.points)


def _drawn(rng: np.random.Generator, side: int, scale: float, shift_px: float, roll_deg: float) -> Affine:
    """Map of the wide picture to the crop: always at the limit of each range, its sign drawn."""
    signs = rng.choice([-1.0, 1.0], 4)
    angle, factor = math.radians(roll_deg * signs[0]), 1 + scale * signs[1]
    c, s = factor * math.cos(angle), factor * math.sin(angle)
    linear = np.array([[c, -s], [s, c]])
    offset = np.full(2, (INPUT_SIZE_PX - 1) / 2) + shift_px * signs[2:] - linear @ np.full(2, (side - 1) / 2)
    return np.hstack([linear, offset[:, np.newaxis]])


def _inverse(affine: Affine) -> Affine:
    linear = np.linalg.inv(affine[:, :2])
    return np.hstack([linear, -(linear @ affine[:, 2])[:, np.newaxis]])


if __name__ == "__main__":
    sys.exit(main())
