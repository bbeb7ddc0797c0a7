"""A camera on the ribbon cable of a Raspberry Pi: the only file that uses picamera2."""

from __future__ import annotations

import importlib
import logging
import math
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import TimeoutError as CaptureTimeoutError  # before 3.11 not the built-in one
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from edge_runtime.datatypes import Frame
from edge_runtime.errors import CameraStalledError, DeviceNotFoundError, SourceError
from edge_runtime.interfaces import Clock

if TYPE_CHECKING:
    from typing_extensions import Self

logger = logging.getLogger(__name__)

_INSTALL_HINT: Final = "apt install python3-picamera2, and make the venv with --system-site-packages"
_STREAM: Final = "lores"
_BUFFERS: Final = 3
"""One being filled, one waiting, one being read: more cost memory that a 512 MB board does not have."""
_WHOLE: Final = 0.99
"""Share of a sensor's area from which a mode counts as its whole view: some modes leave out a row or two."""


class PiCamera:
    """Grey frames from the luma plane of picamera2's low-resolution stream."""

    def __init__(
        self, number: int = 0, *, width_px: int, height_px: int, fps: float, timeout_s: float, clock: Clock
    ) -> None:
        """Remember what to ask for; the camera is not touched.

        Args:
            number: which camera, in the order of `rpicam-hello --list-cameras`.
            width_px: asked of libcamera, which may give another; even.
            height_px: asked of libcamera; even.
            fps: asked of libcamera.
            timeout_s: longest wait for a frame; a capture may never return on its own.
            clock: gives `captured_at`.

        Raises:
            SourceError: picamera2 is not installed.
        """
        self.name = f"picamera:{number}" if number else "picamera"
        self.live = True
        self._number = number
        self._asked = (width_px, height_px, fps)
        self._timeout_s = timeout_s
        self._clock = clock
        self._camera: Any = None
        try:
            self._picamera2: Any = importlib.import_module("picamera2")
        except ImportError as error:
            raise SourceError(f"{self.name}: needs picamera2 ({error}): {_INSTALL_HINT}") from error

    def __enter__(self) -> Self:
        """Open, configure and start the camera; DeviceNotFoundError when it is not there, SourceError when busy."""
        found = self._picamera2.Picamera2.global_camera_info()
        if self._number >= len(found):
            models = ", ".join(str(camera.get("Model")) for camera in found) or "none"
            raise DeviceNotFoundError(
                f"{self.name}: no such camera; found {models}; see `rpicam-hello --list-cameras` and the ribbon cable"
            )
        try:
            self._camera = self._picamera2.Picamera2(self._number)
        except (RuntimeError, IndexError) as error:
            raise SourceError(
                f"{self.name}: cannot be opened ({error}); does another program use it? see `fuser -v /dev/media*`"
            ) from error
        try:
            self._start()
        except (RuntimeError, ValueError) as error:
            self.__exit__()
            raise SourceError(f"{self.name}: libcamera refuses {self._asked} ({error}); ask for 640x480") from error
        return self

    def __exit__(self, *exc: object) -> None:
        """Stop the camera and give it back."""
        camera, self._camera = self._camera, None
        if camera is not None:
            camera.close()

    def frames(self) -> Iterator[Frame]:
        """Yield frames as they come; SourceError when none comes within the timeout."""
        camera = self._camera
        if camera is None:
            raise SourceError(f"{self.name}: frames() outside `with`; open the source first")
        width, height = camera.camera_configuration()[_STREAM]["size"]
        index = 0
        while True:
            try:
                request = camera.capture_request(wait=self._timeout_s)
            except CaptureTimeoutError as error:
                raise CameraStalledError(
                    f"{self.name}: no frame for {self._timeout_s:g} s after {index}; check cable and power supply"
                ) from error
            at = self._clock.monotonic()
            try:
                with self._picamera2.MappedArray(request, _STREAM) as mapped:
                    # (height * 3 / 2, stride): luma rows first, each padded to the stride. The one copy of the frame.
                    pixels = np.array(mapped.array[:height, :width], dtype=np.uint8, order="C")
            finally:
                request.release()  # at once: libcamera has only a few buffers to fill
            yield Frame(index, at, pixels)
            index += 1

    def _start(self) -> None:
        width, height, fps = self._asked
        picture = {"size": (width, height), "format": "YUV420"}
        modes = self._camera.sensor_modes
        mode = widest_mode(modes, fps)
        # picamera2 insists on a main stream; as small and as plain as the other one it costs least. The preview's
        # colour space has luma 0..255, as the nets expect; the video's has 16..235 at this size.
        configuration = self._camera.create_preview_configuration(
            main=picture,
            lores=dict(picture),
            raw=None,
            buffer_count=_BUFFERS,
            controls={"FrameRate": fps},
            sensor={"output_size": mode["size"], "bit_depth": mode["bit_depth"]} if mode else {},
        )
        self._camera.configure(configuration)
        got = self._camera.camera_configuration()[_STREAM]
        logger.info(
            "%s: asked for %dx%d at %g fps, got %dx%d with rows of %d bytes",
            self.name,
            *self._asked,
            *got["size"],
            got["stride"],
        )
        if mode:
            logger.info("%s: sensor mode %dx%d, %s", self.name, *mode["size"], _view(modes, mode))
        self._camera.start()


def widest_mode(modes: Sequence[Mapping[str, Any]], fps: float) -> Mapping[str, Any] | None:
    """Choose the smallest of a sensor's modes that show the most of what it sees and are fast enough.

    Left to itself picamera2 takes the mode nearest to the picture's size, and small modes of many sensors show only the
    middle of a larger one: 640 x 480 of an imx219 is 39 % of the width.

    Args:
        modes: picamera2's `sensor_modes`: `size`, `fps`, `bit_depth`, and `crop_limits` (x, y, width, height).
        fps: least rate.

    Returns:
        A mode; None where none is fast enough, which leaves the choice to picamera2.
    """
    fast = [mode for mode in modes if mode["fps"] >= fps]
    return min(fast, key=lambda mode: (-_seen(mode), math.prod(mode["size"]), -mode["bit_depth"]), default=None)


def _seen(mode: Mapping[str, Any]) -> int:
    """Area of the sensor that a mode shows, its pixels."""
    _, _, width, height = mode["crop_limits"]
    return int(width * height)


def _view(modes: Sequence[Mapping[str, Any]], mode: Mapping[str, Any]) -> str:
    share = _seen(mode) / max(map(_seen, modes))
    return "the whole view" if share > _WHOLE else f"{100 * share:.0f} % of the view: wider modes are slower than asked"
