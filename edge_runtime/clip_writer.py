"""Writes a film of annotated pictures that runs as long as what was filmed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from edge_runtime.errors import SinkError
from edge_runtime.overlay import Picture

if TYPE_CHECKING:
    from typing_extensions import Self

LONGEST_STILL_S: Final = 5.0
"""A gap in a source's times is shown as a still picture, at most so long."""


class ClipWriter:
    """An MP4 file (MPEG-4 Part 2, which OpenCV writes everywhere) at a steady rate. Use it in a `with`.

    The file is readable by its owner alone: it shows people.
    """

    def __init__(self, path: Path, *, fps: float, width: int, height: int) -> None:
        """Remember the form; nothing is opened. Odd sizes become even: the codec asks for it."""
        self._path = path
        self._fps = fps
        self._size = (width + width % 2, height + height % 2)
        self._writer: cv2.VideoWriter | None = None
        self._first_at: float | None = None
        self._written = 0
        self._last: Picture | None = None

    def __enter__(self) -> Self:
        """Make the file anew; SinkError when it cannot be written."""
        try:
            os.close(os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600))
        except OSError as error:
            raise SinkError(f"{self._path}: cannot write the clip ({error.strerror}); check the path") from error
        codec = cv2.VideoWriter.fourcc(*"mp4v")
        writer = cv2.VideoWriter(str(self._path), cv2.CAP_FFMPEG, codec, self._fps, self._size)
        if not writer.isOpened():
            raise SinkError(f"{self._path}: OpenCV cannot write MP4 here; is its FFmpeg part installed?")
        self._writer = writer
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        """Finish the file; SinkError when it did not get whole, which OpenCV does not tell."""
        writer, self._writer = self._writer, None
        if writer is None:
            return
        writer.release()
        if kind is None and self._written > self._readable():
            raise SinkError(f"{self._path}: the clip is not whole and cannot be played; is there room on the disk?")

    def _readable(self) -> int:
        """Frames that the finished file says it has; 0 when it is none, as without its end."""
        clip = cv2.VideoCapture(str(self._path), cv2.CAP_FFMPEG)
        frames = int(clip.get(cv2.CAP_PROP_FRAME_COUNT)) if clip.isOpened() else 0
        clip.release()
        return frames

    def write(self, picture: Picture, captured_at: float) -> None:
        """Show a picture from its source second on; it is repeated or left out to keep the rate."""
        if self._writer is None:
            raise SinkError(f"{self._path}: the clip is not open; use it in a `with`")
        if self._first_at is None:
            self._first_at = captured_at
        due = round((captured_at - self._first_at) * self._fps) + 1
        late = due - self._written
        if late > LONGEST_STILL_S * self._fps:
            self._first_at += late / self._fps - LONGEST_STILL_S
            late = round(LONGEST_STILL_S * self._fps)
        fitted = _fitted(picture, self._size)
        for ahead in range(late - 1, -1, -1):  # what was there before stays until this one is due
            self._writer.write(self._last if ahead and self._last is not None else fitted)
        self._last = fitted
        self._written += max(late, 0)


def _fitted(picture: Picture, size: tuple[int, int]) -> Picture:
    """Bring a picture to width x height: whole, in the middle, black around it."""
    height, width = picture.shape[:2]
    factor = min(size[0] / width, size[1] / height)
    if (width, height) == size:
        return picture
    canvas: Picture = np.zeros((size[1], size[0], 3), np.uint8)
    if factor < 1.0 or (size[0] - width > 1 and size[1] - height > 1):
        picture = np.asarray(cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA), np.uint8)
        height, width = picture.shape[:2]
    x, y = (size[0] - width) // 2, (size[1] - height) // 2
    canvas[y : y + height, x : x + width] = picture[: size[1], : size[0]]
    return canvas
