"""V4L2 cameras: their formats become grey without a detour, and each way to have no camera has its own words."""

from __future__ import annotations

import itertools
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge_runtime.clock import SystemClock
from edge_runtime.datatypes import Frame
from edge_runtime.errors import DeviceNotFoundError, DevicePermissionError, SourceError
from edge_runtime.interfaces import Clock
from edge_runtime.sources.camera import V4l2Camera
from edge_runtime.testing import FakeV4l2Capture, ManualClock
from edge_runtime.testing.video_capture import LUMA_FORMATS, RAW_FORMATS
from tests.sources.pictures import HEIGHT_PX, WIDTH_PX, ramps

NOBODY = 65534
TO_COLORS = {
    "YUYV": cv2.COLOR_YUV2BGR_YUYV,
    "UYVY": cv2.COLOR_YUV2BGR_UYVY,
    "NV12": cv2.COLOR_YUV2BGR_NV12,
    "NV21": cv2.COLOR_YUV2BGR_NV21,
    "YU12": cv2.COLOR_YUV2BGR_I420,
    "YV12": cv2.COLOR_YUV2BGR_YV12,
}
"""OpenCV's own conversion of every format that has colours."""


class Bytes(FakeV4l2Capture):
    """A camera that hands out these very bytes."""

    def __init__(self, raw: NDArray[np.uint8], *, fourcc: str, width: int, height: int) -> None:
        super().__init__([np.zeros((height, width), np.uint8)], fourcc=fourcc)
        self._raw = raw

    def retrieve(self) -> tuple[bool, NDArray[np.uint8]]:
        return True, self._raw.reshape(1, -1)


@pytest.fixture
def devices(tmp_path: Path) -> Path:
    (tmp_path / "video0").touch()
    return tmp_path


def camera(devices: Path, capture: FakeV4l2Capture, *, number: int = 0, clock: Clock | None = None) -> V4l2Camera:
    return V4l2Camera(
        number,
        width_px=640,
        height_px=480,
        fps=25.0,
        clock=clock or SystemClock(),
        devices=devices,
        open_capture=lambda _: capture,
    )


def taken(source: V4l2Camera, count: int) -> list[Frame]:
    with source:
        return list(itertools.islice(source.frames(), count))


@pytest.mark.parametrize("fourcc", [*RAW_FORMATS, "RGB3"])
def test_every_format_becomes_grey_without_its_padding(devices: Path, fourcc: str) -> None:
    scene = ramps(3)

    frames = taken(camera(devices, FakeV4l2Capture(scene, fourcc=fourcc)), 3)

    assert [frame.pixels.shape for frame in frames] == [(HEIGHT_PX, WIDTH_PX)] * 3
    # 256 grey levels become 220 of luma, and JPEG at quality 100 still rounds.
    tolerance = 1 if fourcc in LUMA_FORMATS else 3 if fourcc == "MJPG" else 0
    assert max(error(frame.pixels, picture) for frame, picture in zip(frames, scene, strict=True)) <= tolerance


@pytest.mark.parametrize("fourcc", TO_COLORS)
@pytest.mark.parametrize(("least", "most", "colour"), [(0, 255, 0), (40, 215, 8)])  # no colour leaves 0..255
def test_raw_luma_is_the_grey_of_the_colours_that_opencv_makes_of_it(
    devices: Path, fourcc: str, least: int, most: int, colour: int
) -> None:
    raw = raw_bytes(fourcc, np.linspace(least, most, 256 * 64).reshape(64, 256), colour)

    (frame,) = taken(camera(devices, Bytes(raw, fourcc=fourcc, width=256, height=64)), 1)

    grey = cv2.cvtColor(cv2.cvtColor(raw, TO_COLORS[fourcc]), cv2.COLOR_BGR2GRAY)
    assert error(frame.pixels, np.asarray(grey, np.uint8)) <= 2


def test_grey_bytes_have_the_full_range_already(devices: Path) -> None:
    levels = np.arange(256, dtype=np.uint8).reshape(4, 64)

    (frame,) = taken(camera(devices, Bytes(levels, fourcc="GREY", width=64, height=4)), 1)

    np.testing.assert_array_equal(frame.pixels, levels)


@pytest.mark.parametrize(("fourcc", "converts"), [("YUYV", 0), ("MJPG", 0), ("RGB3", 1)])
def test_colours_are_asked_for_only_where_grey_cannot_be_had(devices: Path, fourcc: str, converts: int) -> None:
    capture = FakeV4l2Capture(ramps(1), fourcc=fourcc)

    taken(camera(devices, capture), 1)

    assert capture.asked[cv2.CAP_PROP_CONVERT_RGB] == converts


def test_what_was_asked_for_and_what_was_got_is_logged(devices: Path, caplog: pytest.LogCaptureFixture) -> None:
    capture = FakeV4l2Capture(ramps(1), fps=15.0)

    with caplog.at_level(logging.INFO):
        taken(camera(devices, capture), 1)

    assert "camera:0: asked for 640x480 at 25 fps, got 100x60 at 15 fps as YUYV" in caplog.text
    assert capture.asked[cv2.CAP_PROP_FRAME_WIDTH] == 640
    assert capture.asked[cv2.CAP_PROP_FPS] == 25.0


def test_frames_carry_the_clock_of_their_arrival(devices: Path) -> None:
    clock = ManualClock()
    source = camera(devices, FakeV4l2Capture(ramps(2)), clock=clock)
    times = []

    with source:
        for frame in itertools.islice(source.frames(), 2):
            times.append(frame.captured_at)
            clock.advance(0.5)

    assert times == [0.0, 0.5]


def test_damaged_frames_are_left_out_and_counted(devices: Path) -> None:
    source = camera(devices, FakeV4l2Capture(ramps(3), fourcc="YUYV", damaged=[1]))

    frames = taken(source, 2)

    assert [frame.index for frame in frames] == [0, 1]
    assert source.skipped == 1


def test_an_unplugged_camera_breaks_the_source_and_is_named(devices: Path) -> None:
    with camera(devices, FakeV4l2Capture(ramps(2))) as source, pytest.raises(SourceError, match=r"video0.*after 2"):
        list(source.frames())


def test_a_missing_camera_is_named_together_with_those_that_are_there(devices: Path) -> None:
    with pytest.raises(DeviceNotFoundError, match=r"video5: no such camera; found .*video0; .*--source camera:N"):
        camera(devices, FakeV4l2Capture(ramps(1)), number=5).__enter__()


def test_a_machine_without_any_camera_says_so(tmp_path: Path) -> None:
    with pytest.raises(DeviceNotFoundError, match="found no camera at all; plug one in, or use a ribbon camera"):
        camera(tmp_path, FakeV4l2Capture(ramps(1))).__enter__()


def test_a_camera_without_permission_names_the_group(devices: Path) -> None:
    (devices / "video0").chmod(0o600)
    if os.geteuid() != 0:
        (devices / "video0").chmod(0)

    with as_nobody(), pytest.raises(DevicePermissionError, match=r"video0: no permission; .*group video.*usermod"):
        camera(devices, FakeV4l2Capture(ramps(1))).__enter__()


def test_a_camera_that_another_program_holds_is_given_back_and_named(devices: Path) -> None:
    capture = FakeV4l2Capture(ramps(1), opens=False)

    with pytest.raises(SourceError, match=r"another program holds it; .*fuser"):
        camera(devices, capture).__enter__()
    assert capture.released


def test_the_device_is_given_back_at_the_end(devices: Path) -> None:
    capture = FakeV4l2Capture(ramps(1))

    taken(camera(devices, capture), 1)

    assert capture.released


def raw_bytes(fourcc: str, luma: NDArray[np.float64], colour: int) -> NDArray[np.uint8]:
    """Lay out luma with colours that differ from grey by up to `colour`, as cv2.cvtColor takes the format."""
    rng = np.random.default_rng(5)
    height, width = luma.shape
    if fourcc in {"YUYV", "UYVY"}:
        chroma = rng.integers(128 - colour, 128 + colour + 1, (height, width))
        return np.stack((luma, chroma) if fourcc == "YUYV" else (chroma, luma), axis=-1).astype(np.uint8)
    return np.vstack([luma, rng.integers(128 - colour, 128 + colour + 1, (height // 2, width))]).astype(np.uint8)


def error(pixels: NDArray[np.uint8], expected: NDArray[np.uint8]) -> int:
    return int(np.abs(pixels.astype(int) - expected).max())


@contextmanager
def as_nobody() -> Iterator[None]:
    """Give up root's right to open everything, where there is one to give up."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
