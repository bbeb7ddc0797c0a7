"""Follow a camera with code of your own: say when the emotion of the largest face changes.

python examples/live.py                    the built-in demo
python examples/live.py --source camera    the first camera; Ctrl-C ends it
"""

from __future__ import annotations

import argparse

import edge_runtime as er
from edge_runtime.capture import captured


def main(argv: list[str] | None = None) -> int:
    """Print one line per change until the source ends."""
    parser = argparse.ArgumentParser(description="Say when the emotion of the largest face changes.")
    parser.add_argument("--source", default="demo", help="camera[:N], picamera, an address, a file, or demo")
    arguments = parser.parse_args(argv)
    shown = ""

    # `captured` reads a camera in a thread of its own and hands out its newest frame: a slow loop drops old
    # frames and never lags behind. A file is read frame by frame.
    with er.Pipeline.from_builtin() as pipeline, captured(er.open_source(arguments.source), timeout_s=3.0) as frames:
        for frame in frames:
            face = pipeline.process(frame).primary
            label = face.emotion.label if face else "nobody"
            if label != shown:
                why = f" ({face.emotion.uncertain_reason})" if face and face.emotion.uncertain_reason else ""
                print(f"{frame.captured_at:10.2f} s  {label}{why}", flush=True)
                shown = label
    return 0


if __name__ == "__main__":
    try:
        raise SystemExit(main())
    except KeyboardInterrupt:
        raise SystemExit(130) from None
