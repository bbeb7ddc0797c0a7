"""The whole chain on the listed clips: faces found, agreement with the labelled segments, changes, milliseconds.

`python -m benchmarks clips MEDIA_DIR [--face-model YUNET.onnx]`. The segments were judged by eye: a sanity check.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.environment import percentiles, write
from edge_runtime.config import load_config
from edge_runtime.contract import EMOTION_LABELS
from edge_runtime.datatypes import Observation
from edge_runtime.policy import EventPolicy
from edge_runtime.wiring import Pipeline, open_source, thresholds_of

_FLIPS = ("emotion_started", "emotion_changed", "emotion_ended")


def main(arguments: list[str] | None = None) -> int:
    """Measure and write results/clips-<detector>.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("media", type=Path)
    parser.add_argument("--detector", default="haar")
    parser.add_argument("--face-model", default="")
    asked = parser.parse_args(sys.argv[2:] if arguments is None else arguments)
    listed = json.loads((asked.media / "clips.json").read_text())
    overrides = {"detector.kind": asked.detector, "detector.model": asked.face_model}
    rows = {}
    for entry in listed:
        rows[Path(entry["file"]).stem] = row = _measure(asked.media, entry, overrides)
        print(Path(entry["file"]).stem, row)
    command = f"python -m benchmarks clips MEDIA --detector {asked.detector}"
    write(f"clips-{asked.detector}", command, {"clips": rows, "segments": _all_segments(rows)})
    return 0


def _measure(media: Path, entry: dict[str, Any], overrides: dict[str, str]) -> dict[str, Any]:
    config = load_config(overrides=overrides)
    seen: list[Observation] = []
    changes: Counter[str] = Counter()
    with Pipeline.from_config(config) as pipeline, open_source(str(media / entry["file"])) as source:
        policy = EventPolicy(thresholds_of(pipeline.parts.policy))
        for frame in source.frames():
            observation = pipeline.process(frame)
            seen.append(observation)
            changes.update(change.change_type for change in policy.update(observation))
    right_count = sum(entry["faces_min"] <= len(one.faces) <= entry["faces_max"] for one in seen)
    flips = sum(changes[kind] for kind in _FLIPS)
    return {
        "frames": len(seen),
        "faces_min": entry["faces_min"],
        "faces_max": entry["faces_max"],
        "frames_with_listed_faces": round(right_count / len(seen), 4),
        "tracks": changes["face_appeared"],
        "extra_tracks": max(changes["face_appeared"] - entry["faces_max"], 0),
        "label_flips_per_minute": round(60 * flips / entry["seconds"], 1),
        "frame": percentiles([1000 * run for run in pipeline.times.runs("total")]),
        "segments": [_agreement(segment, seen) for segment in entry["segments"]],
    }


def _agreement(segment: dict[str, Any], seen: list[Observation]) -> dict[str, Any]:
    inside = [one for one in seen if segment["start"] <= one.captured_at <= segment["end"]]
    said = Counter(one.primary.emotion.label if one.primary else "nobody" for one in inside)
    return {"label": segment["label"], "frames": len(inside), "said": dict(said.most_common())}


def _all_segments(rows: dict[str, Any]) -> dict[str, float]:
    """Share of frames in segments of the five labels that were answered, and answered as labelled."""
    right = answered = frames = calm = calm_uncertain = 0
    for row in rows.values():
        for segment in row["segments"]:
            if segment["label"] in EMOTION_LABELS:
                frames += segment["frames"]
                right += segment["said"].get(segment["label"], 0)
                answered += sum(segment["said"].get(label, 0) for label in EMOTION_LABELS)
            elif segment["label"] == "neutral":
                calm += segment["frames"]
                calm_uncertain += segment["said"].get("uncertain", 0)
    return {
        "frames": frames,
        "answered": round(answered / max(frames, 1), 4),
        "right_of_answered": round(right / max(answered, 1), 4),
        "neutral_frames": calm,
        "neutral_uncertain": round(calm_uncertain / max(calm, 1), 4),
    }


if __name__ == "__main__":
    sys.exit(main())
