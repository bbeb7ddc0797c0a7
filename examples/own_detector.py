"""Put a face detector of your own in front of the nets.

    python examples/own_detector.py [--source camera]

A detector is any object with a name and a method `detect`: grey picture in, tight boxes (forehead to chin) out.
This one is another of OpenCV's cascades. See edge_runtime/interfaces.py for the words of the agreement.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

import edge_runtime as er
from edge_runtime.pipeline import FramePipeline


class Alt2Detector:
    """OpenCV's cascade haarcascade_frontalface_alt2."""

    def __init__(self) -> None:
        """Load the cascade that comes with OpenCV."""
        self.name = "alt2"
        folder = Path(cv2.data.haarcascades)  # type: ignore[attr-defined]
        self._cascade = cv2.CascadeClassifier(str(folder / "haarcascade_frontalface_alt2.xml"))

    def detect(self, pixels: NDArray[np.uint8]) -> Sequence[er.FaceBox]:
        """Find faces in a (height, width) picture."""
        squares = self._cascade.detectMultiScale(pixels, scaleFactor=1.15, minNeighbors=4, minSize=(48, 48))
        height, width = pixels.shape
        # From the cascade's square to a tight box: medians over the demo, against the shipped detector.
        boxes = [er.Box(x + 0.09 * s, y - 0.02 * s, x + 0.89 * s, y + 1.05 * s) for x, y, s, _ in squares]
        return [er.FaceBox(box.clipped(width, height), score=1.0) for box in boxes]


def main(argv: list[str] | None = None) -> int:
    """Run the shipped nets behind this detector and print what they saw."""
    parser = argparse.ArgumentParser(description="Run the shipped nets behind a detector of your own.")
    parser.add_argument("--source", default="demo")
    arguments = parser.parse_args(argv)
    frames = faces = 0

    with er.open_source(arguments.source) as source, er.Pipeline.from_builtin() as shipped:
        pipeline = FramePipeline(replace(shipped.parts, detector=Alt2Detector()))
        for frame in source.frames():
            frames += 1
            faces += bool(pipeline.process(frame).faces)
    print(f"{pipeline.parts.detector.name}: a face in {faces} of {frames} frames")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
