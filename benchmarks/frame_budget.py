"""What a frame costs: per stage on clips, with one steady face, with four, with none, and memory over many frames.

    python -m benchmarks frame_budget --media DIR [--frames 10000]

Everything on one thread. A steady face is one frame of a clip shown again and again with fresh sensor noise; four faces
are the same frame four times in one picture. The two nets alone are timed in the same process, in turn with the frames.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.environment import percentiles, write
from edge_runtime.config import load_config
from edge_runtime.contract import EMOTION_SOURCE_SIZE_PX, INPUT_SIZE_PX
from edge_runtime.datatypes import Frame
from edge_runtime.stages import MODEL_STAGES, STAGES, Stage
from edge_runtime.wiring import Pipeline, open_source

_STEADY_CLIP = "clips/webcam_man_small_motion.mp4"
_FPS, _NOISE = 30.0, 3.0
_WARM_UP, _SHOWN = 30, 600
_NOISY = 16

Picture = NDArray[np.uint8]


def main() -> int:
    """Measure all and write results/frame_budget.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--media", type=Path, required=True, metavar="DIR")
    parser.add_argument("--frames", type=int, default=10_000, metavar="N", help="for the memory (default 10000)")
    args = parser.parse_args(sys.argv[2:])
    cv2.setNumThreads(1)
    with open_source(str(args.media / _STEADY_CLIP)) as source:
        face = next(iter(source.frames())).pixels
    four = np.tile(face, (2, 2))
    figures = {
        "clips": on_clips(args.media),
        "one_steady_face": shown(face),
        "four_faces": shown(four),
        "no_face": shown(np.full_like(face, 90)),
        "memory": memory(face, args.frames),
    }
    print(json.dumps(figures, indent=1))
    write("frame_budget", "python -m benchmarks frame_budget --media DIR", figures)
    return 0


def on_clips(media: Path) -> dict[str, Any]:
    """All listed clips, one after the other: stages, frames per second, share of the time outside nets and detector."""
    stages: dict[Stage, list[float]] = {stage: [] for stage in STAGES}
    for entry in json.loads((media / "clips.json").read_text()):
        with Pipeline.from_config(load_config()) as pipeline, open_source(str(media / entry["file"])) as source:
            for frame in source.frames():
                pipeline.process(frame)
            for stage in STAGES:
                stages[stage] += pipeline.times.runs(stage)
    return stage_figures(stages)


def stage_figures(stages: dict[Stage, list[float]]) -> dict[str, Any]:
    """Milliseconds of every stage from seconds of every run."""
    total, in_models = sum(stages["total"]), sum(sum(stages[stage]) for stage in MODEL_STAGES)
    return {
        "stages": {stage: percentiles([1000 * run for run in runs]) for stage, runs in stages.items() if runs},
        "frames_per_second": round(len(stages["total"]) / total, 1),
        "non_model_share": round(1 - in_models / total, 4),
    }


def shown(picture: Picture) -> dict[str, Any]:
    """One picture again and again; its frames against the two nets alone, timed in turn."""
    with Pipeline.from_config(load_config()) as pipeline:
        crop = np.full((INPUT_SIZE_PX, INPUT_SIZE_PX), 90, np.uint8)
        small = np.full((EMOTION_SOURCE_SIZE_PX, EMOTION_SOURCE_SIZE_PX), 90, np.uint8)
        faces = 0
        frames_ms: list[float] = []
        nets_ms: list[float] = []
        for frame in noisy(picture, _WARM_UP + _SHOWN):
            if frame.index == _WARM_UP:
                pipeline.times.clear()
                faces = 0
                frames_ms.clear()
                nets_ms.clear()
            started = time.perf_counter()
            faces += len(pipeline.process(frame).faces)
            between = time.perf_counter()
            pipeline.parts.keypoints.points(crop)
            pipeline.parts.emotion.scores(small)
            frames_ms.append(1000 * (between - started))
            nets_ms.append(1000 * (time.perf_counter() - between))
        stages = {stage: list(pipeline.times.runs(stage)) for stage in STAGES}
    mean, nets = float(np.mean(frames_ms)), float(np.mean(nets_ms))
    return {
        "faces_per_frame": round(faces / _SHOWN, 3),
        "frame": percentiles(frames_ms),
        "two_nets": percentiles(nets_ms),
        "mean_ms": round(mean, 3),
        "two_nets_mean_ms": round(nets, 3),
        "mean_ratio": round(mean / nets, 3),
        "p50_ratio": round(percentiles(frames_ms)["p50_ms"] / percentiles(nets_ms)["p50_ms"], 3),
        **stage_figures(stages),
    }


def noisy(picture: Picture, count: int) -> Iterator[Frame]:
    """Show a picture with noise that was drawn before, so that drawing it costs no time between frames."""
    rng = np.random.default_rng(3)
    drawn = (picture + rng.normal(0, _NOISE, picture.shape) for _ in range(_NOISY))
    made = [np.clip(real + 0.5, 0, 255).astype(np.uint8) for real in drawn]
    for index in range(count):
        yield Frame(index, index / _FPS, made[index % _NOISY].copy())


def memory(picture: Picture, frames: int) -> dict[str, float]:
    """Resident memory after a tenth of the frames and at the end, MB."""
    with Pipeline.from_config(load_config()) as pipeline:
        first = 0.0
        for frame in noisy(picture, frames):
            pipeline.process(frame)
            if frame.index == frames // 10:
                first = resident_mb()
    return {"frames": frames, "mb_after_a_tenth": round(first, 2), "mb_at_the_end": round(resident_mb(), 2)}


def resident_mb() -> float:
    """Resident memory now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


if __name__ == "__main__":
    sys.exit(main())
