"""Pictures that tests can tell apart: a ramp whose brightness grows from frame to frame."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

WIDTH_PX, HEIGHT_PX = 100, 60


def ramps(count: int, *, width: int = WIDTH_PX, height: int = HEIGHT_PX) -> list[NDArray[np.uint8]]:
    """Return (height, width) pictures: dark left, bright right, each 10 grey levels brighter than the last."""
    ramp = np.linspace(40, 120, width, dtype=np.float64)
    return [np.tile(np.rint(ramp + 10 * i), (height, 1)).astype(np.uint8) for i in range(count)]


def write_video(path: Path, pictures: list[NDArray[np.uint8]], *, fps: float = 20.0) -> Path:
    """Write an MJPEG video."""
    height, width = pictures[0].shape
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), fps, (width, height))
    assert writer.isOpened()
    for picture in pictures:
        writer.write(cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR))
    writer.release()
    return path


def write_folder(folder: Path, pictures: list[NDArray[np.uint8]]) -> Path:
    """Write numbered PNG files."""
    folder.mkdir(exist_ok=True)
    for i, picture in enumerate(pictures):
        assert cv2.imwrite(str(folder / f"{i:03d}.png"), picture)
    return folder


def brightness(pixels: NDArray[np.uint8]) -> int:
    """Tell which ramp it is: its mean grey level over that of the first, in steps of 10, rounded."""
    return round((float(pixels.mean()) - 80.0) / 10.0)
