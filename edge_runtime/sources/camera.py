"""A camera behind /dev/videoN, through OpenCV's V4L2."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from edge_runtime.datatypes import Frame
from edge_runtime.errors import DeviceNotFoundError, DevicePermissionError, SourceError
from edge_runtime.interfaces import Clock

if TYPE_CHECKING:
    from typing_extensions import Self

logger = logging.getLogger(__name__)

_PACKED_LUMA: Final = {"YUYV": 0, "UYVY": 1}
"""Two bytes a pixel: which of the two is the luma."""
_PLANAR: Final = frozenset(("NV12", "NV21", "YU12", "YV12"))
"""Luma rows first, then half as many rows of colour."""
_COMPRESSED: Final = frozenset(("JPEG", "MJPG"))
_GREY: Final = frozenset(("GREY",))
_RAW_FORMATS: Final = frozenset((*_PACKED_LUMA, *_PLANAR, *_COMPRESSED, *_GREY))

_BLACK, _WHITE = 16, 235
_FULL_RANGE: Final = np.clip(np.rint((np.arange(256) - _BLACK) * 255 / (_WHITE - _BLACK)), 0, 255).astype(np.uint8)
"""(256,) grey level 0..255 by luma byte of the packed and planar formats, whose black is 16 and whose white is 235.

Source: Linux, "Detailed Colorspace Descriptions" of V4L2 (the default Y'CbCr quantization is limited range); OpenCV's
conversions of these formats to colours assume the same. V4L2 can announce the full range instead, which OpenCV does
not tell.
"""


class V4l2Camera:
    """A USB camera, or any other that Linux shows as /dev/videoN."""

    def __init__(
        self,
        number: int = 0,
        *,
        width_px: int,
        height_px: int,
        fps: float,
        clock: Clock,
        devices: Path = Path("/dev"),
        open_capture: Callable[[int], Any] | None = None,
    ) -> None:
        """Remember what to ask for; the device is not touched.

        Args:
            number: N of /dev/videoN.
            width_px: asked of the driver, which may give another.
            height_px: asked of the driver.
            fps: asked of the driver.
            clock: gives `captured_at`.
            devices: folder of the device files.
            open_capture: stands in for cv2.VideoCapture(number, cv2.CAP_V4L2).

        Raises:
            SourceError: OpenCV is not installed.
        """
        self.name = f"camera:{number}"
        self.live = True
        self.skipped = 0
        """Damaged frames since the camera was opened."""
        self._number, self._device = number, devices / f"video{number}"
        self._asked = (width_px, height_px, fps)
        self._clock = clock
        self._capture: Any = None
        try:
            import cv2
        except ImportError as error:
            raise SourceError(f"{self.name}: cameras need OpenCV: pip install 'opencv-python-headless'") from error
        self._cv2: Any = cv2
        self._open_capture = open_capture or (lambda wanted: cv2.VideoCapture(wanted, cv2.CAP_V4L2))

    def __enter__(self) -> Self:
        """Open the device and ask for size and rate; DeviceNotFoundError, DevicePermissionError or SourceError."""
        self._check_device()
        capture = self._open_capture(self._number)
        if not capture.isOpened():
            capture.release()
            raise SourceError(
                f"{self._device}: not a camera, or another program holds it; "
                f"see `v4l2-ctl --list-devices` and `fuser -v {self._device}`"
            )
        self._capture, self.skipped = capture, 0
        self._configure(capture)
        return self

    def __exit__(self, *exc: object) -> None:
        """Give the device back."""
        capture, self._capture = self._capture, None
        if capture is not None:
            capture.release()

    def frames(self) -> Iterator[Frame]:
        """Yield frames as they come, damaged ones left out; SourceError when the camera stops giving any."""
        # A local name: whoever abandons this generator in a hung read and opens the camera again has another capture.
        capture, cv2 = self._capture, self._cv2
        if capture is None:
            raise SourceError(f"{self.name}: frames() outside `with`; open the source first")
        width, height = int(capture.get(cv2.CAP_PROP_FRAME_WIDTH)), int(capture.get(cv2.CAP_PROP_FRAME_HEIGHT))
        fourcc = _fourcc(capture.get(cv2.CAP_PROP_FOURCC))
        index = 0
        while capture.grab():
            at = self._clock.monotonic()  # before the decoding, which takes its time on a small board
            decoded, picture = capture.retrieve()
            pixels = self._grey(picture, fourcc, width, height) if decoded else None
            if pixels is None:
                self.skipped += 1
                continue
            yield Frame(index, at, pixels)
            index += 1
        raise SourceError(f"{self._device}: the camera gave no more frames after {index}; is it still plugged in?")

    def _check_device(self) -> None:
        try:
            os.close(os.open(self._device, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC))
        except FileNotFoundError as error:
            there = ", ".join(sorted(str(path) for path in self._device.parent.glob("video*")))
            remedy = (
                "choose one with --source camera:N"
                if there
                else "plug one in, or use a ribbon camera with --source picamera"
            )
            raise DeviceNotFoundError(
                f"{self._device}: no such camera; found {there or 'no camera at all'}; {remedy}"
            ) from error
        except PermissionError as error:
            raise DevicePermissionError(
                f"{self._device}: no permission; is the user in group video? `sudo usermod -aG video $USER`, "
                f"then log in again"
            ) from error
        except OSError as error:
            raise SourceError(
                f"{self._device}: cannot be opened ({error.strerror}); unplug it and try again"
            ) from error

    def _configure(self, capture: Any) -> None:  # noqa: ANN401
        cv2, (width, height, fps) = self._cv2, self._asked
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, width)
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, height)  # OpenCV sends both sizes when it has both
        capture.set(cv2.CAP_PROP_FPS, fps)
        fourcc = _fourcc(capture.get(cv2.CAP_PROP_FOURCC))
        # Unconverted frames hold the luma already, or a JPEG that decodes to grey: no detour through three colours.
        capture.set(cv2.CAP_PROP_CONVERT_RGB, 0 if fourcc in _RAW_FORMATS else 1)
        got = (capture.get(cv2.CAP_PROP_FRAME_WIDTH), capture.get(cv2.CAP_PROP_FRAME_HEIGHT))
        rate = capture.get(cv2.CAP_PROP_FPS)
        logger.info(
            "%s: asked for %dx%d at %g fps, got %dx%d at %g fps as %s",
            self.name,
            width,
            height,
            fps,
            *got,
            rate,
            fourcc,
        )

    def _grey(self, picture: NDArray[np.uint8], fourcc: str, width: int, height: int) -> NDArray[np.uint8] | None:
        """Take the luma of one frame, (height, width), 0..255, as a copy; None when the frame is damaged."""
        if fourcc in _COMPRESSED:
            pixels = self._cv2.imdecode(picture.reshape(-1), self._cv2.IMREAD_GRAYSCALE) if picture.size else None
            return None if pixels is None else np.asarray(pixels, dtype=np.uint8)
        if fourcc not in _RAW_FORMATS:
            return np.asarray(self._cv2.cvtColor(picture, self._cv2.COLOR_BGR2GRAY), dtype=np.uint8)
        rows = _rows(picture, height * 3 // 2 if fourcc in _PLANAR else height)
        if rows is None:
            return None
        step = 2 if fourcc in _PACKED_LUMA else 1
        luma = rows[:height, _PACKED_LUMA.get(fourcc, 0) :: step][:, :width]
        if luma.shape != (height, width):
            return None
        pixels = luma.copy()
        if fourcc not in _GREY:
            self._cv2.LUT(pixels, _FULL_RANGE, dst=pixels)
        return pixels


def _rows(raw: NDArray[np.uint8], count: int) -> NDArray[np.uint8] | None:
    """Cut unconverted bytes into rows, padding included; OpenCV 4.9 and newer hands them out without any shape."""
    flat = raw.reshape(-1)
    return flat.reshape(count, -1) if flat.size and flat.size % count == 0 else None


def _fourcc(code: float) -> str:
    """Read OpenCV's number as four letters, or as `????` when the driver does not tell."""
    text = int(code).to_bytes(8, "little", signed=True)[:4].decode("ascii", errors="replace")
    return text if text.isprintable() and len(text) == 4 else "????"
