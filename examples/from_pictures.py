"""Read single pictures: one JSON line per face.

    python examples/from_pictures.py PICTURE_OR_FOLDER

`emotion-edge run --source FOLDER` takes a folder as a film. Here every picture stands for itself.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace

import edge_runtime as er
from edge_runtime.pipeline import FramePipeline
from edge_runtime.tracker import Tracker


def main(argv: list[str] | None = None) -> int:
    """Print every face of every picture."""
    parser = argparse.ArgumentParser(description="Read single pictures: one JSON line per face.")
    parser.add_argument("pictures", help="a picture, or a folder of pictures")
    arguments = parser.parse_args(argv)
    # In a film a face must be found twice before it counts. A picture has one chance only.
    config = er.load_config(overrides={"tracker.min_hits": 1})

    with er.open_source(arguments.pictures) as source, er.Pipeline.from_config(config) as pipeline:
        for frame in source.frames():
            # The same nets with nothing remembered: no track and no average from the picture before.
            fresh = FramePipeline(replace(pipeline.parts, tracker=Tracker(config.tracker)))
            for face in fresh.process(frame).faces:
                print(json.dumps({"picture": frame.index, **as_numbers(face)}))
    return 0


def as_numbers(face: er.Face) -> dict[str, object]:
    """Take what is worth telling of one face; all of it is numbers."""
    return {
        "emotion": face.emotion.label,
        "uncertain_reason": face.emotion.uncertain_reason,
        "support": round(face.emotion.support, 3),
        "scores": {label: round(share, 3) for label, share in face.emotion.as_dict().items()},
        "box": [round(edge) for edge in (face.box.x0, face.box.y0, face.box.x1, face.box.y1)],
        "nose_tip": [round(value, 1) for value in face.keypoints["nose_tip"]],
    }


if __name__ == "__main__":
    raise SystemExit(main())
