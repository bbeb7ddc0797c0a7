"""Every form of `--source`, and what is said about everything else."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_runtime.errors import SourceError
from edge_runtime.sources import pictures, uri
from edge_runtime.sources.uri import parse_source


@pytest.mark.parametrize(
    ("text", "kind", "number"),
    [
        ("camera", "camera", 0),
        ("camera:2", "camera", 2),
        ("/dev/video3", "camera", 3),
        ("picamera", "picamera", 0),
        ("picamera:1", "picamera", 1),
        ("demo", "demo", 0),
    ],
)
def test_devices_are_known_by_name(text: str, kind: str, number: int) -> None:
    found = parse_source(text)

    assert (found.kind, found.number) == (kind, number)


@pytest.mark.parametrize(
    "url", ["rtsp://cam/live", "RTSP://cam/live", "http://cam/x.mjpg", "https://u:p@cam:8443/x?k=v"]
)
def test_addresses_are_streams_and_kept_as_they_are(url: str) -> None:
    found = parse_source(url)

    assert (found.kind, found.location) == ("stream", url)


def test_files_and_folders_are_told_apart(tmp_path: Path) -> None:
    for name in ("clip.mp4", "photo.JPG"):
        (tmp_path / name).touch()

    kinds = [parse_source(str(tmp_path / name)).kind for name in ("clip.mp4", "photo.JPG", ".")]

    assert kinds == ["video", "pictures", "pictures"]


def test_a_link_to_a_device_is_a_camera(tmp_path: Path) -> None:
    link = tmp_path / "usb-camera"
    link.symlink_to("/dev/video7")

    assert (parse_source(str(link)).kind, parse_source(str(link)).number) == ("camera", 7)


def test_a_file_named_like_a_keyword_is_meant_with_a_dot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "demo").touch()

    assert (parse_source("demo").kind, parse_source("./demo").kind) == ("demo", "video")


@pytest.mark.parametrize("text", ["/no/such/clip.mp4", "camera:x", "picamera:", "", "demo2"])
def test_anything_else_is_no_such_file_and_lists_what_is_accepted(text: str) -> None:
    with pytest.raises(SourceError, match=r"no such file; expected a video file.*camera.*demo"):
        parse_source(text)


@pytest.mark.parametrize("text", ["a\0b", "x" * 5000])
def test_what_cannot_be_a_path_is_refused_shortly(text: str) -> None:
    with pytest.raises(SourceError, match="expected a video file") as raised:
        parse_source(text)

    assert len(str(raised.value)) < 400


def test_another_scheme_is_refused_without_showing_the_password() -> None:
    with pytest.raises(SourceError, match="ftp://") as raised:
        parse_source("ftp://admin:hunter2@cam/clip.mp4")

    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize(
    "slip",
    [" rtsp://admin:hunter2@cam/1", "rtsp:/admin:hunter2@cam/1", "admin:hunter2@cam", " http://cam/?pwd=hunter2"],
)
def test_an_address_with_a_slip_of_the_pen_is_refused_without_showing_the_password(slip: str) -> None:
    with pytest.raises(SourceError, match="not repeated") as raised:
        parse_source(slip)

    assert "hunter2" not in str(raised.value)


def test_a_password_does_not_show_in_the_parsed_value() -> None:
    assert "hunter2" not in repr(parse_source("rtsp://admin:hunter2@cam/live"))


def test_both_lists_of_picture_suffixes_are_the_same() -> None:
    assert set(pictures.SUFFIXES) == uri.PICTURE_SUFFIXES
