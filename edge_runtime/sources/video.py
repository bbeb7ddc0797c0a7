"""Frames of a video file, every one of them, at the time each one has in the file."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from edge_runtime.datatypes import Frame
from edge_runtime.errors import SourceError

if TYPE_CHECKING:
    from typing_extensions import Self

logger = logging.getLogger(__name__)

_USUAL_FPS = 25.0
_COMPLETE = 0.95  # headers count by duration and rate: a frame or two off is usual


class VideoFile:
    """A video file in any format that OpenCV's FFmpeg reads."""

    def __init__(self, path: Path) -> None:
        """Remember the path; nothing is opened.

        Raises:
            SourceError: OpenCV is not installed.
        """
        self.name = str(path)
        self.live = False
        self._path = path
        self._capture: Any = None
        try:
            import cv2
        except ImportError as error:
            raise SourceError(f"{path}: videos need OpenCV: pip install 'opencv-python-headless'") from error
        self._cv2: Any = cv2

    def __enter__(self) -> Self:
        """Open the file; SourceError when it is missing or no video."""
        self._check_readable()
        # FFmpeg and no other: the others would be asked in turn, each with a warning of its own on standard error.
        self._capture = self._cv2.VideoCapture(self.name, self._cv2.CAP_FFMPEG)
        if not self._capture.isOpened():
            self._capture = None
            raise SourceError(
                f"{self.name}: not a video that FFmpeg can read; try it with ffprobe, or convert it to MP4"
            )
        return self

    def __exit__(self, *exc: object) -> None:
        """Close the file."""
        capture, self._capture = self._capture, None
        if capture is not None:
            capture.release()

    def frames(self) -> Iterator[Frame]:
        """Yield every frame from where the file stands; `captured_at` is its time in the file, seconds."""
        capture, cv2 = self._capture, self._cv2
        if capture is None:
            raise SourceError(f"{self.name}: frames() outside `with`; open the source first")
        step_s = 1.0 / (capture.get(cv2.CAP_PROP_FPS) or _USUAL_FPS)
        index, last_at = 0, -step_s
        while capture.grab():
            # Some files (raw streams, damaged indexes) have no times, or times that jump back: then the rate counts.
            at = capture.get(cv2.CAP_PROP_POS_MSEC) / 1000.0
            at = at if at > last_at else last_at + step_s
            decoded, picture = capture.retrieve()
            if decoded:
                yield Frame(index, at, self._grey(picture))
            index, last_at = index + 1, at
        self._check_complete(index)

    # FFmpeg could hand out its luma plane instead (CAP_PROP_CONVERT_RGB = 0), but that one is 16..235 in most files,
    # where the nets learnt from 0..255, and OpenCV 4.11 writes a warning about it for every frame.
    def _grey(self, picture: Any) -> np.ndarray[Any, np.dtype[np.uint8]]:  # noqa: ANN401
        return np.asarray(self._cv2.cvtColor(picture, self._cv2.COLOR_BGR2GRAY), dtype=np.uint8)  # (h, w)

    def _check_readable(self) -> None:
        try:
            with self._path.open("rb"):
                pass
        except OSError as error:
            raise SourceError(f"{self.name}: cannot read the video ({error.strerror}); check the path") from error

    def _check_complete(self, frames: int) -> None:
        if frames == 0:
            raise SourceError(f"{self.name}: the video holds no frame that can be decoded; try it with ffprobe")
        expected = int(self._capture.get(self._cv2.CAP_PROP_FRAME_COUNT)) if self._capture is not None else 0
        if frames < _COMPLETE * expected:
            logger.warning("%s: %d frames, its header says %d; the end may be damaged", self.name, frames, expected)
