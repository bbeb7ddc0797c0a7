"""When a camera is opened again, and when it is given up."""

from __future__ import annotations

import json

import pytest

from edge_runtime.camera_retry import CameraRetry
from edge_runtime.config import load_config
from edge_runtime.errors import CameraFrozenError, CameraHungError, SourceError
from edge_runtime.service import Service as RunningService
from edge_runtime.settings import Service
from edge_runtime.surroundings import Surroundings
from edge_runtime.testing import ManualClock, MemorySink
from tests.scene import DiscDetector, pipeline
from tests.test_config import NOTHING
from tests.test_service import Camera, HurriedEvent, Pulse

GONE = SourceError("camera:0: gone")


def test_pauses_double_up_to_their_limit() -> None:
    retry = CameraRetry(Service(camera_retry_s=1.0, camera_retry_max_s=6.0))

    assert [retry.pause_after(GONE, frames=0) for _ in range(5)] == [1.0, 2.0, 4.0, 6.0, 6.0]


def test_frames_in_between_begin_the_count_and_the_pauses_anew() -> None:
    retry = CameraRetry(Service(camera_give_up=3))

    pauses = [retry.pause_after(GONE, frames=frames) for frames in (0, 0, 500, 0, 500, 0)]

    assert pauses == [1.0, 2.0, 1.0, 2.0, 1.0, 2.0]


def test_the_last_failure_that_is_allowed_ends_the_program_with_code_4() -> None:
    retry = CameraRetry(Service(camera_give_up=3))
    for _ in range(2):
        retry.pause_after(GONE, frames=0)

    with pytest.raises(SourceError, match="camera:0: gone; given up after 3 failures in a row") as caught:
        retry.pause_after(GONE, frames=0)

    assert caught.value.exit_code == 4
    assert caught.value.__cause__ is GONE


def test_zero_never_gives_up() -> None:
    retry = CameraRetry(Service(camera_give_up=0))

    for _ in range(1000):
        retry.pause_after(GONE, frames=0)

    assert retry.failures == 1000


def test_the_shipped_settings_give_up_after_about_eight_minutes() -> None:
    retry = CameraRetry(Service())

    waited = sum(retry.pause_after(GONE, frames=0) for _ in range(Service().camera_give_up - 1))

    assert 7.0 < waited / 60 < 9.0


def test_frames_that_never_changed_are_no_recovery() -> None:
    retry = CameraRetry(Service(camera_give_up=2))
    frozen = CameraFrozenError("camera:0: frozen", has_moved=False)
    retry.pause_after(frozen, frames=75)

    with pytest.raises(SourceError, match="given up after 2"):
        retry.pause_after(frozen, frames=75)


def test_a_camera_that_freezes_now_and_then_is_opened_for_ever() -> None:
    retry = CameraRetry(Service(camera_give_up=2))
    froze = CameraFrozenError("camera:0: frozen", has_moved=True)

    assert [retry.pause_after(froze, frames=9000) for _ in range(10)] == [1.0] * 10


def test_a_driver_that_hangs_ends_the_program_at_once() -> None:
    hung = CameraHungError("camera:0: 4 reads hang in its driver")

    with pytest.raises(CameraHungError, match="4 reads hang"):
        CameraRetry(Service()).pause_after(hung, frames=0)


def test_a_camera_that_has_given_no_frame_yet_is_told_at_this_moment() -> None:
    clock, sink, pulse = ManualClock(), MemorySink(), Pulse()
    clock.advance(7.5)
    around = Surroundings(clock=clock, stop=HurriedEvent(), heartbeat=pulse, max_frames=1)
    config = load_config(NOTHING, overrides={"service.wait_for_camera": True})

    RunningService(config, pipeline(DiscDetector()), Camera(pulse, [None, 1]), [sink], around).run()

    told = [json.loads(message.to_json()) for message in sink.messages if message.topic == "event"]
    assert [(event["event_type"], event["monotonic_ns"]) for event in told] == [("system", 7_500_000_000)]
