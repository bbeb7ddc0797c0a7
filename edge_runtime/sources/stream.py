"""A camera in the network: rtsp:// or http(s)://, through OpenCV's FFmpeg."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from edge_runtime.credentials import without_secrets
from edge_runtime.datatypes import Frame
from edge_runtime.errors import SourceError
from edge_runtime.interfaces import Clock

if TYPE_CHECKING:
    from typing_extensions import Self

logger = logging.getLogger(__name__)

OPEN_TIMEOUT_S: Final = 10.0
"""Longest wait for the first answer: many cameras take seconds; below what edge_runtime.capture waits."""


class NetworkStream:
    """An RTSP or HTTP stream. Its end counts as broken: a camera does not end."""

    def __init__(self, url: str, *, timeout_s: float, clock: Clock) -> None:
        """Remember the address; nothing is opened.

        Args:
            url: may hold a user and a password, which stay in here.
            timeout_s: longest wait for each frame; a connection has OPEN_TIMEOUT_S, or this if it is longer.
            clock: gives `captured_at`.

        Raises:
            SourceError: OpenCV is not installed.
        """
        self.name = without_secrets(url)
        self.live = True
        self.skipped = 0
        """Frames that could not be decoded, since the stream was opened."""
        self._url = url
        self._timeout_ms = max(1, round(timeout_s * 1000))
        self._open_timeout_ms = max(self._timeout_ms, round(OPEN_TIMEOUT_S * 1000))
        self._clock = clock
        self._capture: Any = None
        try:
            import cv2
        except ImportError as error:
            raise SourceError(f"{self.name}: streams need OpenCV: pip install 'opencv-python-headless'") from error
        self._cv2: Any = cv2

    def __enter__(self) -> Self:
        """Connect; SourceError when nothing answers in time."""
        cv2 = self._cv2
        limits = [
            cv2.CAP_PROP_OPEN_TIMEOUT_MSEC,
            self._open_timeout_ms,
            cv2.CAP_PROP_READ_TIMEOUT_MSEC,
            self._timeout_ms,
        ]
        # FFmpeg and no other: the others would be asked in turn, and some write the whole address on standard error.
        capture = cv2.VideoCapture(self._url, cv2.CAP_FFMPEG, limits)
        if not capture.isOpened():
            raise SourceError(
                f"{self.name}: no video from there, it has {self._open_timeout_ms / 1000:g} s to answer; "
                f"check that it is on, and address, user and password with ffprobe"
            )
        self._capture, self.skipped = capture, 0
        size = (capture.get(cv2.CAP_PROP_FRAME_WIDTH), capture.get(cv2.CAP_PROP_FRAME_HEIGHT))
        logger.info("%s: connected, %dx%d", self.name, *size)
        return self

    def __exit__(self, *exc: object) -> None:
        """Disconnect."""
        capture, self._capture = self._capture, None
        if capture is not None:
            capture.release()

    def frames(self) -> Iterator[Frame]:
        """Yield frames as they come; SourceError when they stop coming."""
        # A local name: whoever abandons this generator in a hung read and connects again has another capture.
        capture, cv2 = self._capture, self._cv2
        if capture is None:
            raise SourceError(f"{self.name}: frames() outside `with`; open the source first")
        index = 0
        while capture.grab():
            at = self._clock.monotonic()  # before the decoding, which takes its time on a small board
            decoded, picture = capture.retrieve()
            if not decoded:
                self.skipped += 1
                continue
            grey = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), dtype=np.uint8)  # (h, w)
            yield Frame(index, at, grey)
            index += 1
        raise SourceError(
            f"{self.name}: ended or silent for {self._timeout_ms / 1000:g} s after {index} frames; is the camera on?"
        )
