"""Face detectors side by side: what they find on annotated scenes, what they invent on clips without faces, how long.

    python -m benchmarks detectors --media DIR [--yunet FILE.onnx]

DIR holds scenes.json with its pictures and clips/no_face_*.mp4. The rules of judging are in converter/faces/scenes.py.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks.environment import write
from converter.faces.contenders import open_contender
from converter.faces.scenes import RANGES, judge_detector, read_scenes
from edge_runtime.bundle import builtin_bundle_path
from edge_runtime.interfaces import Detector

WIDTH, HEIGHT = 640, 480
EVERY_NTH_FRAME = 5


def main(arguments: list[str] | None = None) -> int:
    """Judge every detector, print a table, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--media", type=Path, required=True, metavar="DIR")
    parser.add_argument("--yunet", type=Path, metavar="FILE")
    args = parser.parse_args(sys.argv[2:] if arguments is None else arguments)
    cv2.setNumThreads(1)
    scenes = read_scenes(args.media)
    rows = []
    for title, name, search_width_px in contenders(args.yunet):
        detector = open_contender(name, search_width_px=search_width_px)
        figures = judge_detector(detector, scenes, width=WIDTH, height=HEIGHT)
        rows.append({"detector": title, **figures, "no_face_clips": inventions(detector, args.media / "clips")})
        print(line(rows[-1]), flush=True)
    # Times are upper bounds where environment.load_1min says that others computed at the same time.
    write(
        "detectors", "python -m benchmarks detectors --media DIR --yunet FILE.onnx", {"threads": 1, "detectors": rows}
    )
    return 0


def contenders(yunet: Path | None) -> list[tuple[str, str, int]]:
    """Title, name for open_contender, and width to which frames are shrunk."""
    ours = builtin_bundle_path("faces")
    found = [
        ("faces-small, input 160x128", str(ours.with_name("faces-small")), 160),
        ("faces, input 320x256", str(ours), 320),
        ("faces-large, input 640x480", str(ours.with_name("faces-large")), 640),
        ("haar, frame shrunk to 320", "haar", 320),
    ]
    if yunet is not None:
        found += [(f"yunet, frame shrunk to {width}", f"yunet:{yunet}", width) for width in (160, 320, 640)]
    return found


def inventions(detector: Detector, clips: Path) -> dict[str, dict[str, int]]:
    """Count finds in clips that show no face."""
    counted = {}
    for path in sorted(clips.glob("no_face_*.mp4")):
        video, frames, finds, frames_with_finds = cv2.VideoCapture(str(path)), 0, 0, 0
        index = 0
        while video.grab():
            if index % EVERY_NTH_FRAME == 0:
                _, picture = video.retrieve()
                found = len(detector.detect(np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.uint8)))
                frames, finds, frames_with_finds = frames + 1, finds + found, frames_with_finds + (found > 0)
            index += 1
        counted[path.name] = {"frames": frames, "finds": finds, "frames_with_finds": frames_with_finds}
    return counted


def line(row: dict[str, Any]) -> str:
    """One row of the table."""
    ranges = "  ".join(f"{name} R {row[name]['recall']} P {row[name]['precision']}" for name in RANGES)
    invented = sum(clip["finds"] for clip in row["no_face_clips"].values())
    return f"{row['detector']:28} {ranges}  {row['ms']} ms (p95 {row['ms_p95']})  invented {invented}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
