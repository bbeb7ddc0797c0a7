"""A module with the calls of picamera2 that edge_runtime uses, for machines without such a camera.

sys.modules["picamera2"] = fake_picamera2([FakeSensor(pictures)])
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from typing_extensions import Self

STRIDE_PX: Final = 64
"""libcamera pads rows of YUV420 to a multiple of this on a Raspberry Pi 4."""
PADDING: Final = 0xA5
"""What the padding holds: nothing that may end up in a frame."""


MODES: Final = (
    {"size": (1536, 864), "fps": 120.13, "bit_depth": 10, "crop_limits": (768, 432, 3072, 1728)},
    {"size": (2304, 1296), "fps": 56.03, "bit_depth": 10, "crop_limits": (0, 0, 4608, 2592)},
    {"size": (4608, 2592), "fps": 14.35, "bit_depth": 10, "crop_limits": (0, 0, 4608, 2592)},
)
"""What the sensor of a Camera Module 3 (imx708) offers."""


@dataclass
class FakeSensor:
    """What a test decides about one camera, and what it can ask afterwards."""

    pictures: Sequence[NDArray[np.uint8]]
    """(h, w) luma, one a frame; after the last one no frame comes any more."""
    model: str = "imx708"
    modes: Sequence[dict[str, Any]] = MODES
    held_by_another: bool = False
    """Opening fails as it does while another program has the camera."""
    requests: list[FakeRequest] = field(default_factory=list)
    """Every request handed out."""
    opened: int = 0
    closed: int = 0
    configuration: dict[str, Any] = field(default_factory=dict)
    """As the camera was configured, sizes and strides as granted."""


class FakeRequest:
    """A completed request: its buffer belongs to the camera until it is released."""

    def __init__(self, buffers: dict[str, NDArray[np.uint8]]) -> None:
        """Hold (h * 3 / 2, stride) YUV420 per stream."""
        self.buffers = buffers
        self.released = False

    def release(self) -> None:
        """Give the buffer back: the camera overwrites it at once, so that a view of it betrays itself."""
        if self.released:
            raise RuntimeError("CompletedRequest: lock now has negative ref_count")
        self.released = True
        for buffer in self.buffers.values():
            buffer[:] = PADDING


class FakeMappedArray:
    """A view of a request's buffer, valid inside `with`."""

    def __init__(self, request: FakeRequest, stream: str) -> None:
        """Choose the stream."""
        self._request, self._stream = request, stream
        self.array: NDArray[np.uint8] | None = None

    def __enter__(self) -> Self:
        """Map it."""
        if self._request.released:
            raise RuntimeError("MappedArray of a released request")
        self.array = self._request.buffers[self._stream]
        return self

    def __exit__(self, *exc: object) -> None:
        """Unmap it."""
        self.array = None


def fake_picamera2(sensors: Sequence[FakeSensor]) -> ModuleType:
    """Make a module to put into sys.modules["picamera2"], with these cameras attached."""

    class Picamera2(_FakeCamera):
        attached = sensors

    module = ModuleType("picamera2")
    vars(module).update(Picamera2=Picamera2, MappedArray=FakeMappedArray)
    return module


class _FakeCamera:
    """picamera2.Picamera2."""

    attached: Sequence[FakeSensor] = ()

    @classmethod
    def global_camera_info(cls) -> list[dict[str, Any]]:
        """Return a dictionary a camera."""
        return [{"Model": sensor.model, "Num": number} for number, sensor in enumerate(cls.attached)]

    def __init__(self, camera_num: int = 0) -> None:
        """Open the camera; RuntimeError when another program has it."""
        self._sensor = self.attached[camera_num]
        if self._sensor.held_by_another:
            raise RuntimeError("Camera __init__ sequence did not complete.")
        self._sensor.opened += 1
        self._configuration: dict[str, Any] | None = None
        self._started = False
        self._delivered = 0

    @property
    def sensor_modes(self) -> list[dict[str, Any]]:
        """Return what the sensor offers."""
        return list(self._sensor.modes)

    def create_preview_configuration(
        self,
        main: dict[str, Any],
        lores: dict[str, Any],
        raw: None,
        buffer_count: int,
        controls: dict[str, Any],
        sensor: dict[str, Any],
    ) -> dict[str, Any]:
        """Return a configuration with even sizes, as libcamera's alignment makes them."""
        streams = {name: _aligned(stream) for name, stream in (("main", main), ("lores", lores))}
        return {**streams, "raw": raw, "buffer_count": buffer_count, "controls": controls, "sensor": sensor}

    def configure(self, configuration: dict[str, Any]) -> None:
        """Accept a configuration; RuntimeError when lores is larger than main."""
        main, lores = configuration["main"], configuration["lores"]
        if lores["size"][0] > main["size"][0] or lores["size"][1] > main["size"][1]:
            raise RuntimeError("lores stream dimensions may not exceed main stream")
        if lores["format"] != "YUV420":
            raise RuntimeError("lores stream must be YUV")
        if unknown := set(configuration["sensor"]) - {"output_size", "bit_depth"}:
            raise RuntimeError(f"Unexpected keys {unknown} in sensor configuration")
        self._configuration = self._sensor.configuration = configuration

    def camera_configuration(self) -> dict[str, Any]:
        """Return what was granted."""
        if self._configuration is None:
            raise RuntimeError("configure the camera first")
        return self._configuration

    def start(self) -> None:
        """Start the sensor."""
        self._started = True

    def capture_request(self, wait: float) -> FakeRequest:
        """Return the next request; TimeoutError of concurrent.futures after `wait` seconds without one."""
        if not self._started:
            raise RuntimeError("start the camera first")
        unreleased = sum(not request.released for request in self._sensor.requests)
        waiting: Future[FakeRequest] = Future()
        if self._delivered < len(self._sensor.pictures) and unreleased < self.camera_configuration()["buffer_count"]:
            waiting.set_result(self._next())
        return waiting.result(timeout=wait)

    def close(self) -> None:
        """Stop the sensor and give the camera back."""
        self._started = False
        self._sensor.closed += 1

    def _next(self) -> FakeRequest:
        picture = self._sensor.pictures[self._delivered]
        self._delivered += 1
        configuration = self.camera_configuration()
        buffers = {name: _yuv420(picture, configuration[name]) for name in ("main", "lores")}
        self._sensor.requests.append(FakeRequest(buffers))
        return self._sensor.requests[-1]


def _aligned(stream: dict[str, Any]) -> dict[str, Any]:
    width, height = (side - side % 2 for side in stream["size"])
    return {**stream, "size": (width, height), "stride": -(-width // STRIDE_PX) * STRIDE_PX}


def _yuv420(luma: NDArray[np.uint8], stream: dict[str, Any]) -> NDArray[np.uint8]:
    """Lay out (h * 3 / 2, stride): luma rows, then colour, padding at the end of each row."""
    (width, height), stride = stream["size"], stream["stride"]
    buffer = np.full((height * 3 // 2, stride), PADDING, dtype=np.uint8)
    buffer[:height, :width] = luma[:height, :width]
    return buffer
