"""What cv2.VideoCapture(N, cv2.CAP_V4L2) does with a camera, for machines without one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

PADDING_PX: Final = 32
"""Pixels that the driver adds to every row of an uncompressed format."""
PLANAR_FORMATS: Final = ("NV12", "NV21", "YU12", "YV12")
"""Alike in their bytes while there is no colour."""
LUMA_FORMATS: Final = ("YUYV", "UYVY", *PLANAR_FORMATS)
"""Their black is 16 and their white 235."""
RAW_FORMATS: Final = (*LUMA_FORMATS, "GREY", "MJPG")


class FakeV4l2Capture:
    """Gives pictures in a camera's own format, or as colours when it is asked to convert them."""

    def __init__(
        self,
        pictures: Sequence[NDArray[np.uint8]],
        *,
        fourcc: str = "YUYV",
        fps: float = 30.0,
        opens: bool = True,
        damaged: Sequence[int] = (),
    ) -> None:
        """Hold the scene.

        Args:
            pictures: (h, w) grey, 0..255, one a frame, all of one size; after the last one grab() fails, as when
                unplugged.
            fourcc: the camera's format; one of RAW_FORMATS, or another one that only OpenCV can convert.
            fps: the only rate the driver knows.
            opens: False = another program holds the device.
            damaged: indices of frames that arrive cut off.
        """
        self.released = False
        self.asked: dict[int, float] = {}
        """Every property that was set."""
        self._pictures, self._fourcc, self._fps = pictures, fourcc, fps
        self._opens, self._damaged = opens, damaged
        self._index = -1
        self._converts = True

    def isOpened(self) -> bool:  # noqa: N802  OpenCV's name
        """Whether the device is open."""
        return self._opens and not self.released

    def set(self, prop: int, value: float) -> bool:
        """Take note; the size and the rate stay the driver's own."""
        self.asked[prop] = value
        if prop == cv2.CAP_PROP_CONVERT_RGB:
            self._converts = bool(value)
        return True

    def get(self, prop: int) -> float:
        """Return what the driver grants."""
        height, width = self._pictures[0].shape
        code = int.from_bytes(self._fourcc.encode("ascii"), "little")
        granted = {
            cv2.CAP_PROP_FRAME_WIDTH: float(width),
            cv2.CAP_PROP_FRAME_HEIGHT: float(height),
            cv2.CAP_PROP_FPS: self._fps,
            cv2.CAP_PROP_FOURCC: float(code),
        }
        return granted.get(prop, 0.0)

    def grab(self) -> bool:
        """Wait for the next frame; False when the camera is gone."""
        self._index += 1
        return self.isOpened() and self._index < len(self._pictures)

    def retrieve(self) -> tuple[bool, NDArray[np.uint8]]:
        """Return the grabbed frame: (h, w, 3) converted, else (1, bytes) as the driver sent it."""
        picture = self._pictures[self._index]
        if self._converts:
            return True, np.asarray(cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR), dtype=np.uint8)
        raw = _encoded(picture, self._fourcc)
        cut = raw[: len(raw) // 3] if self._index in self._damaged else raw
        return True, cut.reshape(1, -1)

    def release(self) -> None:
        """Close the device."""
        self.released = True


def _encoded(picture: NDArray[np.uint8], fourcc: str) -> NDArray[np.uint8]:
    """Lay out one picture as the bytes of a format; colour is neutral, padding is not."""
    if fourcc == "MJPG":
        return np.asarray(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 100])[1], dtype=np.uint8).reshape(-1)
    height, width = picture.shape
    padded = np.full((height, width + PADDING_PX), 0xA5, dtype=np.uint8)
    padded[:, :width] = _limited(picture) if fourcc in LUMA_FORMATS else picture
    if fourcc == "GREY":
        return padded.reshape(-1)
    if fourcc in PLANAR_FORMATS:
        return np.vstack([padded, np.full((height // 2, width + PADDING_PX), 128, dtype=np.uint8)]).reshape(-1)
    colour = np.full_like(padded, 128)
    pair = (padded, colour) if fourcc == "YUYV" else (colour, padded)
    return np.stack(pair, axis=-1).reshape(-1)


def _limited(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Squeeze grey levels 0..255 into the luma's 16..235 (ITU-R BT.601)."""
    return np.asarray(np.rint(16 + picture * (219 / 255)), dtype=np.uint8)
