"""The Raspberry Pi camera, through a module with picamera2's calls, shapes and strides."""

from __future__ import annotations

import itertools
import logging
import sys

import numpy as np
import pytest

from edge_runtime.clock import SystemClock
from edge_runtime.errors import DeviceNotFoundError, SourceError
from edge_runtime.sources.picamera import PiCamera, widest_mode
from edge_runtime.testing import FakeSensor, fake_picamera2
from edge_runtime.testing.picamera import MODES, PADDING
from tests.sources.pictures import HEIGHT_PX, WIDTH_PX, ramps


def camera(
    monkeypatch: pytest.MonkeyPatch,
    *sensors: FakeSensor,
    number: int = 0,
    width_px: int = WIDTH_PX,
    timeout_s: float = 0.2,
) -> PiCamera:
    monkeypatch.setitem(sys.modules, "picamera2", fake_picamera2(sensors))
    return PiCamera(number, width_px=width_px, height_px=HEIGHT_PX, fps=20.0, timeout_s=timeout_s, clock=SystemClock())


def test_the_padding_of_the_rows_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = ramps(3)
    sensor = FakeSensor(scene)

    with camera(monkeypatch, sensor) as source:
        frames = list(itertools.islice(source.frames(), 3))

    assert sensor.configuration["lores"]["stride"] == 128 > WIDTH_PX
    assert all(np.array_equal(frame.pixels, picture) for frame, picture in zip(frames, scene, strict=True))
    assert PADDING not in frames[0].pixels


def test_an_odd_size_becomes_what_libcamera_grants_and_is_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO), camera(monkeypatch, FakeSensor(ramps(1)), width_px=99) as source:
        frame = next(source.frames())

    assert frame.pixels.shape == (HEIGHT_PX, 98)
    assert "asked for 99x60 at 20 fps, got 98x60 with rows of 128 bytes" in caplog.text


def test_every_request_is_released_before_its_frame_is_handed_out(monkeypatch: pytest.MonkeyPatch) -> None:
    sensor = FakeSensor(ramps(6))

    with camera(monkeypatch, sensor) as source:
        waiting = [
            sum(not request.released for request in sensor.requests) for _ in itertools.islice(source.frames(), 6)
        ]

    assert waiting == [0] * 6


def test_memory_is_spared(monkeypatch: pytest.MonkeyPatch) -> None:
    sensor = FakeSensor(ramps(1))

    with camera(monkeypatch, sensor):
        asked = sensor.configuration

    assert asked["main"]["size"] == (WIDTH_PX, HEIGHT_PX)
    assert asked["main"]["format"] == asked["lores"]["format"] == "YUV420"
    assert asked["raw"] is None
    assert asked["buffer_count"] == 3
    assert asked["controls"] == {"FrameRate": 20.0}


IMX219 = (
    {"size": (640, 480), "fps": 206.65, "bit_depth": 10, "crop_limits": (1000, 752, 1280, 960)},
    {"size": (1640, 1232), "fps": 41.85, "bit_depth": 10, "crop_limits": (0, 0, 3280, 2464)},
    {"size": (1640, 1232), "fps": 41.85, "bit_depth": 8, "crop_limits": (0, 0, 3280, 2464)},
    {"size": (1920, 1080), "fps": 47.57, "bit_depth": 10, "crop_limits": (680, 692, 1920, 1080)},
    {"size": (3280, 2464), "fps": 21.19, "bit_depth": 10, "crop_limits": (0, 0, 3280, 2464)},
)


def test_the_camera_shows_all_that_the_sensor_sees(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    sensor = FakeSensor(ramps(1))

    with caplog.at_level(logging.INFO), camera(monkeypatch, sensor):
        asked = sensor.configuration["sensor"]

    assert asked == {"output_size": (2304, 1296), "bit_depth": 10}
    assert "sensor mode 2304x1296, the whole view" in caplog.text


@pytest.mark.parametrize(
    ("modes", "fps", "size"),
    [(IMX219, 30, (1640, 1232)), (IMX219, 45, (1920, 1080)), (IMX219, 100, (640, 480)), (MODES, 20, (2304, 1296))],
)
def test_the_widest_mode_that_is_fast_enough_is_chosen(
    modes: tuple[dict[str, object], ...], fps: float, size: tuple[int, int]
) -> None:
    mode = widest_mode(modes, fps)

    assert mode is not None
    assert (mode["size"], mode["bit_depth"]) == (size, 10)


def test_a_narrow_view_is_told(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO), camera(monkeypatch, FakeSensor(ramps(1), modes=[MODES[0], MODES[2]])):
        pass

    assert "sensor mode 1536x864, 44 % of the view: wider modes are slower than asked" in caplog.text


def test_where_no_mode_is_fast_enough_picamera2_chooses(monkeypatch: pytest.MonkeyPatch) -> None:
    sensor = FakeSensor(ramps(1), modes=[MODES[2]])

    with camera(monkeypatch, sensor):
        assert sensor.configuration["sensor"] == {}


def test_a_capture_that_never_returns_breaks_the_source(monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        camera(monkeypatch, FakeSensor(ramps(2)), timeout_s=0.05) as source,
        pytest.raises(SourceError, match=r"picamera: no frame for 0\.05 s after 2; check cable"),
    ):
        list(source.frames())


def test_the_camera_is_closed_and_opens_again(monkeypatch: pytest.MonkeyPatch) -> None:
    sensor = FakeSensor(ramps(2))
    source = camera(monkeypatch, sensor)

    for _ in range(2):
        with source:
            next(source.frames())

    assert (sensor.opened, sensor.closed) == (2, 2)


def test_a_missing_camera_is_named_with_those_that_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DeviceNotFoundError, match=r"picamera:1: no such camera; found imx708; .*--list-cameras"):
        camera(monkeypatch, FakeSensor(ramps(1)), number=1).__enter__()


def test_a_camera_in_use_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SourceError, match=r"cannot be opened .*does another program use it"):
        camera(monkeypatch, FakeSensor(ramps(1), held_by_another=True)).__enter__()


def test_without_picamera2_the_error_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "picamera2", None)  # how Python marks a module that cannot be imported

    with pytest.raises(SourceError, match=r"apt install python3-picamera2.*--system-site-packages"):
        PiCamera(0, width_px=640, height_px=480, fps=30.0, timeout_s=3.0, clock=SystemClock())


@pytest.mark.hardware
def test_a_real_camera_gives_frames_of_the_asked_size() -> None:
    pytest.importorskip("picamera2", reason="picamera2 comes with Raspberry Pi OS")

    with PiCamera(0, width_px=640, height_px=480, fps=30.0, timeout_s=3.0, clock=SystemClock()) as source:
        frames = list(itertools.islice(source.frames(), 30))

    assert {frame.pixels.shape for frame in frames} == {(480, 640)}
    assert frames[-1].pixels.std() > 0
