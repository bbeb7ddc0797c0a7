"""What every source does, held against the fake and every back-end that can be loaded here."""

from __future__ import annotations

import itertools
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from edge_runtime.clock import SystemClock
from edge_runtime.datatypes import Frame
from edge_runtime.errors import SourceError
from edge_runtime.interfaces import Source
from edge_runtime.picture_watch import WatchedSource
from edge_runtime.settings import Source as SourceSettings
from edge_runtime.sources.camera import V4l2Camera
from edge_runtime.sources.demo import Demo
from edge_runtime.sources.picamera import PiCamera
from edge_runtime.sources.pictures import PictureFolder
from edge_runtime.sources.stream import NetworkStream
from edge_runtime.sources.video import VideoFile
from edge_runtime.testing import FakeSensor, FakeSource, FakeV4l2Capture, FaultyCamera, fake_picamera2
from tests.sources.mjpeg_server import NetworkCamera, serving
from tests.sources.pictures import HEIGHT_PX, WIDTH_PX, ramps, write_folder, write_video

FRAMES = 5


def fake(_: Path, __: pytest.MonkeyPatch) -> Iterator[Source]:
    yield FakeSource(ramps(FRAMES))


def video(folder: Path, _: pytest.MonkeyPatch) -> Iterator[Source]:
    yield VideoFile(write_video(folder / "clip.avi", ramps(FRAMES)))


def pictures(folder: Path, _: pytest.MonkeyPatch) -> Iterator[Source]:
    yield PictureFolder(write_folder(folder / "pictures", ramps(FRAMES)), fps=20.0)


def demo(_: Path, __: pytest.MonkeyPatch) -> Iterator[Source]:
    pytest.importorskip("skimage", reason="the demo's photograph comes with scikit-image")
    yield Demo()


def camera(folder: Path, _: pytest.MonkeyPatch) -> Iterator[Source]:
    (folder / "video0").touch()
    yield V4l2Camera(
        width_px=WIDTH_PX,
        height_px=HEIGHT_PX,
        fps=20.0,
        clock=SystemClock(),
        devices=folder,
        open_capture=lambda _: FakeV4l2Capture(ramps(FRAMES)),
    )


def picamera(_: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Source]:
    monkeypatch.setitem(sys.modules, "picamera2", fake_picamera2([FakeSensor(ramps(FRAMES))]))
    yield PiCamera(width_px=WIDTH_PX, height_px=HEIGHT_PX, fps=20.0, timeout_s=0.2, clock=SystemClock())


def stream(_: Path, __: pytest.MonkeyPatch) -> Iterator[Source]:
    with serving(NetworkCamera(ramps(FRAMES + 1))) as network_camera:
        yield NetworkStream(network_camera.url, timeout_s=5.0, clock=SystemClock())


def faulty(_: Path, __: pytest.MonkeyPatch) -> Iterator[Source]:
    yield FaultyCamera(["breaks"], clock=SystemClock(), good_frames=FRAMES)


def watched(_: Path, __: pytest.MonkeyPatch) -> Iterator[Source]:
    camera = FaultyCamera(["breaks"], clock=SystemClock(), good_frames=FRAMES)
    yield WatchedSource(camera, SourceSettings())


BACK_ENDS = (fake, video, pictures, demo, camera, picamera, stream, faulty, watched)
Make = Callable[[Path, pytest.MonkeyPatch], Iterator[Source]]


@pytest.fixture(params=BACK_ENDS, ids=lambda make: make.__name__)
def source(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Source]:
    make: Make = request.param
    yield from make(tmp_path, monkeypatch)


def first(source: Source, count: int = FRAMES) -> list[Frame]:
    return list(itertools.islice(source.frames(), count))


def test_a_source_has_a_name_without_secrets(source: Source) -> None:
    assert source.name
    assert not [secret for secret in ("admin", "hunter2", "topsecret") if secret in source.name]


def test_frames_are_grey_and_all_of_one_size(source: Source) -> None:
    with source:
        frames = first(source)

    assert len(frames) == FRAMES
    assert len({frame.pixels.shape for frame in frames}) == 1
    assert {(frame.pixels.ndim, str(frame.pixels.dtype)) for frame in frames} == {(2, "uint8")}


def test_frames_are_counted_from_zero_and_their_time_never_goes_back(source: Source) -> None:
    with source:
        frames = first(source)

    assert [frame.index for frame in frames] == list(range(FRAMES))
    assert all(later.captured_at > earlier.captured_at for earlier, later in itertools.pairwise(frames))


def test_a_frame_owns_its_pixels_for_ever(source: Source) -> None:
    held, copies = [], []
    with source:
        for frame in itertools.islice(source.frames(), FRAMES):
            held.append(frame.pixels)
            copies.append(frame.pixels.copy())

    assert all(np.array_equal(pixels, copy) for pixels, copy in zip(held, copies, strict=True))
    assert not np.shares_memory(held[0], held[1])
    assert all(pixels.flags.writeable and pixels.flags.c_contiguous for pixels in held)


def test_a_source_opens_again_after_it_was_closed(source: Source) -> None:
    with source:
        before = first(source, 2)

    with source:
        after = first(source, 2)

    assert [frame.index for frame in after] == [0, 1]
    assert before[0].pixels.shape == after[0].pixels.shape


def test_frames_outside_with_are_an_error_that_says_what_to_do(source: Source) -> None:
    with pytest.raises(SourceError, match="open the source first"):
        next(source.frames())

    with source:
        pass
    with pytest.raises(SourceError, match="open the source first"):
        next(source.frames())


def test_a_file_ends_and_a_live_source_breaks(source: Source) -> None:
    frames: list[Frame] = []

    with source:
        if source.live:
            with pytest.raises(SourceError, match=re.escape(source.name) + "|video0"):
                frames.extend(source.frames())
        else:
            frames.extend(source.frames())

    assert len(frames) >= FRAMES
