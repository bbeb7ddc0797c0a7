"""Network streams: frames over HTTP, silence that is noticed, and passwords that nobody sees."""

from __future__ import annotations

import logging
import time

import pytest

from edge_runtime import capture
from edge_runtime.clock import SystemClock
from edge_runtime.credentials import without_secrets
from edge_runtime.datatypes import Frame
from edge_runtime.errors import SourceError
from edge_runtime.sources import stream
from edge_runtime.sources.stream import NetworkStream
from tests.sources.mjpeg_server import NetworkCamera, serving
from tests.sources.pictures import HEIGHT_PX, WIDTH_PX, brightness, ramps

SECRETS = ("admin", "hunter2", "topsecret")


def test_frames_come_in_order_until_the_camera_hangs_up() -> None:
    frames: list[Frame] = []

    with (
        serving(NetworkCamera(ramps(6))) as camera,
        NetworkStream(camera.url, timeout_s=5.0, clock=SystemClock()) as source,
        pytest.raises(SourceError, match=r"127\.0\.0\.1:\d+/live\.mjpg: ended or silent for 5 s after \d+ frames"),
    ):
        frames.extend(source.frames())

    # FFmpeg knows that a part is complete when the next one begins: the last one may stay with it.
    assert [brightness(frame.pixels) for frame in frames][:5] == [0, 1, 2, 3, 4]
    assert {frame.pixels.shape for frame in frames} == {(HEIGHT_PX, WIDTH_PX)}


def test_a_silent_camera_is_noticed_within_the_timeout() -> None:
    with (
        serving(NetworkCamera(ramps(6), hangs=True)) as camera,
        NetworkStream(camera.url, timeout_s=1.0, clock=SystemClock()) as source,
    ):
        start = time.monotonic()
        with pytest.raises(SourceError, match="silent for 1 s"):
            list(source.frames())
        took_s = time.monotonic() - start

    assert took_s < 5.0


def test_a_camera_may_take_longer_for_its_first_answer_than_for_a_frame() -> None:
    with (
        serving(NetworkCamera(ramps(6), answers_after_s=1.5)) as camera,
        NetworkStream(camera.url, timeout_s=0.5, clock=SystemClock()) as source,
    ):
        first = next(source.frames())

    assert first.index == 0


def test_a_camera_that_never_answers_is_given_up_before_the_capture_gives_up_the_thread() -> None:
    assert stream.OPEN_TIMEOUT_S < capture.OPEN_TIMEOUT_S


def test_an_address_where_nobody_listens_is_an_error_with_a_remedy() -> None:
    with serving(NetworkCamera(ramps(1))) as camera:
        gone = camera.url

    with pytest.raises(SourceError, match=r"no video from there, it has 10 s to answer; check that it is on"):
        NetworkStream(gone, timeout_s=2.0, clock=SystemClock()).__enter__()


def test_user_password_and_token_are_in_no_name_log_error_or_output(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    seen = []

    with caplog.at_level(logging.DEBUG), serving(NetworkCamera(ramps(6))) as camera:
        source = NetworkStream(camera.url, timeout_s=2.0, clock=SystemClock())
        seen.append(source.name)
        with source, pytest.raises(SourceError) as broke:
            list(source.frames())
        seen.append(str(broke.value))
    with pytest.raises(SourceError) as refused:
        source.__enter__()
    seen.append(str(refused.value))
    captured = capfd.readouterr()
    seen += [caplog.text, captured.out, captured.err]

    assert "live.mjpg" in caplog.text
    assert not [secret for secret in SECRETS for text in seen if secret in text]


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("rtsp://admin:hunter2@cam.local:554/stream1", "rtsp://cam.local:554/stream1"),
        ("rtsp://admin:p@ss@cam/stream1", "rtsp://cam/stream1"),
        ("http://cam/video?user=admin&pwd=hunter2#x", "http://cam/video"),
        ("https://cam/", "https://cam/"),
        ("rtsp://admin:pa/ss@10.0.0.2/live", "rtsp://10.0.0.2/live"),
        ("rtsp://admin:pa?ss@10.0.0.2/live", "rtsp://10.0.0.2/live"),
        ("rtsp://admin:pa#ss@10.0.0.2:554/live?token=x", "rtsp://10.0.0.2:554/live"),
        ("http://cam/video?user=admin&pwd=p@ss", "http://cam/video"),
        ("http://cam:80/video?user=admin&pwd=p@ss", "http://..."),
        ("http://[::1]/video?user=admin&pwd=p@ss", "http://..."),
        ("rtsp://admin:1234?5@cam/live", "rtsp://..."),
        ("http://admin:hunter2@cam/video?mail=p@ss", "http://..."),
        ("rtsp://cam:554/user=admin_password=hunter2_channel=1_stream=0.sdp?real_stream", "rtsp://cam:554/..."),
        ("rtsp://cam/live/user=admin&password=hunter2&channel=1", "rtsp://cam/live/..."),
        ("http://cam/video.cgi;pwd=hunter2", "http://cam/..."),
    ],
)
def test_a_name_keeps_host_and_path_only(url: str, name: str) -> None:
    assert without_secrets(url) == name
    assert NetworkStream(url, timeout_s=1.0, clock=SystemClock()).name == name
