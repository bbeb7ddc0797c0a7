"""Capture: the newest frame wins, errors reach the reader, and a camera that hangs is noticed and left behind."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np
import pytest

from edge_runtime.capture import DirectCapture, LiveCapture, captured
from edge_runtime.datatypes import Frame
from edge_runtime.errors import DeviceNotFoundError, SourceError
from edge_runtime.testing import FakeSource

if TYPE_CHECKING:
    from typing_extensions import Self

WAIT_S = 10.0
"""No wait in here is expected to take so long: it fails the test instead of hanging it."""


class DrivenCamera:
    """A live source whose every frame the test asks for."""

    def __init__(self, *, opens: Callable[[], None] = lambda: None) -> None:
        self.name = "camera:9"
        self.live = True
        self.opened = 0
        self.closed = 0
        self.delivered = threading.Semaphore(0)
        self._opens = opens
        self._wanted = threading.Semaphore(0)
        self._error: Exception | None = None
        self._ends = False

    def __enter__(self) -> Self:
        self._opens()
        self.opened += 1
        return self

    def __exit__(self, *exc: object) -> None:
        self.closed += 1

    def frames(self) -> Iterator[Frame]:
        index = 0
        while self._wanted.acquire(timeout=WAIT_S):
            if self._error is not None:
                raise self._error
            if self._ends:
                return
            yield Frame(index, float(index), np.full((2, 2), index, dtype=np.uint8))
            self.delivered.release()  # reached when the capture thread asks for more: the frame is in the mailbox
            index += 1

    def give(self, count: int) -> None:
        """Let it deliver frames, and wait until the capture thread has taken them."""
        for _ in range(count):
            self._wanted.release()
            assert self.delivered.acquire(timeout=WAIT_S)

    def break_with(self, error: Exception) -> None:
        self._error = error
        self._wanted.release()

    def end(self) -> None:
        self._ends = True
        self._wanted.release()


@pytest.fixture
def camera() -> Iterator[DrivenCamera]:
    """Yield a camera, and free its thread at the end whatever the test did."""
    driven = DrivenCamera()
    before = set(threading.enumerate())
    yield driven
    driven.end()
    for thread in set(threading.enumerate()) - before:
        thread.join(timeout=WAIT_S)
        assert not thread.is_alive()


def live(camera: DrivenCamera, *, timeout_s: float = WAIT_S, join_timeout_s: float = WAIT_S) -> LiveCapture:
    capture = captured(camera, timeout_s=timeout_s, join_timeout_s=join_timeout_s)
    assert isinstance(capture, LiveCapture)
    return capture


def test_the_newest_frame_is_taken_and_older_ones_are_dropped_and_counted(camera: DrivenCamera) -> None:
    with live(camera) as capture:
        camera.give(5)
        frame = next(iter(capture))
        camera.end()

    assert frame.index == 4
    assert capture.dropped == 4


def test_no_frame_is_dropped_while_the_reader_keeps_up(camera: DrivenCamera) -> None:
    with live(camera) as capture:
        frames = iter(capture)
        indices = []
        for _ in range(4):
            camera.give(1)
            indices.append(next(frames).index)
        camera.end()

    assert indices == [0, 1, 2, 3]
    assert capture.dropped == 0


def test_a_frame_is_handed_out_once(camera: DrivenCamera) -> None:
    with live(camera, timeout_s=0.2) as capture:
        frames = iter(capture)
        camera.give(1)
        next(frames)

        with pytest.raises(SourceError, match=r"camera:9: no frame for 0\.2 s"):
            next(frames)
        camera.end()


def test_the_last_frame_is_delivered_before_the_error_that_followed_it(camera: DrivenCamera) -> None:
    with live(camera) as capture:
        frames = iter(capture)
        camera.give(1)
        camera.break_with(SourceError("unplugged"))

        assert next(frames).index == 0
        with pytest.raises(SourceError, match="unplugged"):
            next(frames)
    assert camera.closed == 1


def test_an_error_that_nobody_expected_reaches_the_reader_too(camera: DrivenCamera) -> None:
    with live(camera) as capture:
        camera.break_with(ZeroDivisionError("a bug in a back-end"))

        with pytest.raises(ZeroDivisionError, match="a bug in a back-end"):
            next(iter(capture))


def test_a_source_that_ends_ends_the_iteration(camera: DrivenCamera) -> None:
    with live(camera) as capture:
        camera.give(1)
        camera.end()

        assert [frame.index for frame in capture] == [0]


def test_a_camera_that_does_not_open_fails_where_the_capture_is_entered() -> None:
    def missing() -> None:
        raise DeviceNotFoundError("no /dev/video9")

    with pytest.raises(DeviceNotFoundError, match="no /dev/video9"):
        live(DrivenCamera(opens=missing)).__enter__()


def test_a_camera_that_never_finishes_opening_is_given_up(caplog: pytest.LogCaptureFixture) -> None:
    never = threading.Event()

    def hang() -> None:
        assert never.wait(WAIT_S)

    camera = DrivenCamera(opens=hang)
    capture = captured(camera, timeout_s=WAIT_S, open_timeout_s=0.2, join_timeout_s=0.2)

    with caplog.at_level(logging.ERROR), pytest.raises(SourceError, match=r"did not open within 0\.2 s"):
        capture.__enter__()
    never.set()
    camera.end()

    assert "abandoned" in caplog.text


def test_signs_of_life_are_given_while_a_camera_opens_and_while_a_frame_is_waited_for(camera: DrivenCamera) -> None:
    beaten = threading.Semaphore(0)

    def wait_for_a_beat() -> None:
        assert beaten.acquire(timeout=WAIT_S)

    slow = DrivenCamera(opens=wait_for_a_beat)
    with (
        captured(slow, timeout_s=WAIT_S, open_timeout_s=WAIT_S, alive=beaten.release),
        captured(camera, timeout_s=WAIT_S, alive=lambda: camera.give(1)) as frames,
    ):
        frame = next(iter(frames))
        slow.end()
        camera.end()

    assert frame.index == 0


def test_a_read_that_hangs_is_abandoned_and_reported(camera: DrivenCamera, caplog: pytest.LogCaptureFixture) -> None:
    with (
        caplog.at_level(logging.ERROR),
        pytest.raises(SourceError, match=r"no frame for 0\.2 s"),
        live(camera, timeout_s=0.2, join_timeout_s=0.2) as capture,
    ):
        next(iter(capture))

    assert "camera:9: the capture thread did not end within 0.2 s and was abandoned" in caplog.text


def test_leaving_a_hung_read_without_another_error_fails_loudly(camera: DrivenCamera) -> None:
    with pytest.raises(SourceError, match="hangs in a read; restart the program"), live(camera, join_timeout_s=0.2):
        pass


def test_an_abandoned_thread_does_not_close_what_is_open_again() -> None:
    camera = DrivenCamera()
    hung = live(camera, join_timeout_s=0.1)
    with pytest.raises(SourceError), hung:
        pass

    camera.end()
    for thread in [thread for thread in threading.enumerate() if thread.name == "capture camera:9"]:
        thread.join(timeout=WAIT_S)

    assert camera.closed == 0


def test_stop_ends_the_wait_for_a_frame(camera: DrivenCamera) -> None:
    stop = threading.Event()
    capture = captured(camera, timeout_s=WAIT_S, stop=stop, join_timeout_s=0.1)

    with capture:
        stop.set()
        frames = list(capture)

    assert frames == []


def test_the_thread_is_a_daemon_with_a_name_and_ends_with_the_block(camera: DrivenCamera) -> None:
    with live(camera):
        (thread,) = [thread for thread in threading.enumerate() if thread.name == "capture camera:9"]
        daemon = thread.daemon
        camera.end()

    assert daemon
    assert not thread.is_alive()
    assert (camera.opened, camera.closed) == (1, 1)


def test_a_file_is_read_without_a_thread_and_without_loss() -> None:
    pictures = [np.full((2, 2), i, dtype=np.uint8) for i in range(50)]
    before = threading.active_count()

    with captured(FakeSource(pictures), timeout_s=1.0) as capture:
        indices = [(frame.index, threading.active_count()) for frame in capture]

    assert isinstance(capture, DirectCapture)
    assert indices == [(i, before) for i in range(50)]
    assert capture.dropped == 0


def test_stop_ends_a_file_too() -> None:
    stop = threading.Event()
    seen = []

    with captured(FakeSource([np.zeros((2, 2), dtype=np.uint8)] * 9), timeout_s=1.0, stop=stop) as capture:
        for frame in capture:
            seen.append(frame.index)
            if frame.index == 2:
                stop.set()

    assert seen == [0, 1, 2]


def test_a_file_that_breaks_raises_and_is_closed() -> None:
    source = FakeSource([np.zeros((2, 2), dtype=np.uint8)] * 9, fails_after=3)

    with pytest.raises(SourceError, match="unplugged after 3 frames"), captured(source, timeout_s=1.0) as capture:
        list(capture)
    with pytest.raises(SourceError, match="open the source first"):
        next(source.frames())
