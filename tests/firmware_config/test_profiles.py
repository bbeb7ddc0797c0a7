"""Profiles load, and a mistake in one is told with file, key, expected, found and remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from firmware_config.errors import ProfileError
from firmware_config.profiles import CAMERAS, accelerator_names, board_names, choose, load_profile, profile_names

VALID = """\
profile_version = 1
title = "A Pi 4 of my own"
proof = "none"
board = "pi4"
accelerator = "none"

[runtime]
width_px = 640
height_px = 480
fps = 15
threads = 2
detector = "faces"
every_n_frames = 5
"""
BOARDS = ("pi-zero-2w", "pi3", "pi4", "pi5")


def write(folder: Path, text: str) -> str:
    path = folder / "mine.toml"
    path.write_text(text)
    return str(path)


def test_every_promised_profile_is_there() -> None:
    promised = {*BOARDS, *(f"{board}-coral-usb" for board in BOARDS), "pi5-coral-m2", "coral-dev-board", "x86-generic"}

    assert promised <= set(profile_names())


@pytest.mark.parametrize("name", profile_names())
def test_a_shipped_profile_loads(name: str) -> None:
    profile = load_profile(name)

    assert profile.name == name
    assert profile.board.name in board_names()
    assert profile.accelerator.name in accelerator_names()


def test_a_profile_of_ones_own_loads_by_its_path(tmp_path: Path) -> None:
    profile = load_profile(write(tmp_path, VALID))

    assert (profile.name, profile.board.name, profile.runtime.fps) == ("mine", "pi4", 15)


@pytest.mark.parametrize(
    ("old", "new", "parts"),
    [
        pytest.param("fps = 15", "fsp = 15", ['key "runtime.fps" is missing', "add it"], id="missing"),
        pytest.param(
            "fps = 15",
            "fps = 15\nthread = 4",
            ['unknown key "runtime.thread"', 'did you mean "threads"?', "rename or remove"],
            id="unknown",
        ),
        pytest.param("fps = 15", "fps = 0", ['"runtime.fps"', "from 1 to 120", "found 0"], id="range"),
        pytest.param("fps = 15", "fps = true", ['"runtime.fps"', "whole number", "found True"], id="bool"),
        pytest.param('"pi4"', '"pi44"', ['"board"', "pi3, pi4, pi5", "'pi44'", 'did you mean "pi4"?'], id="board"),
        pytest.param('"none"\n\n', '"coral-m2-pi5"\n\n', ['"accelerator"', "fits the board pi4"], id="does not fit"),
        pytest.param('title = "A Pi 4 of my own"', 'title = ""', ['"title"', "not empty"], id="empty"),
        pytest.param("profile_version = 1", "profile_version = 2", ['"profile_version"', "found 2"], id="version"),
        pytest.param("[runtime]", "[runtime", ["not valid TOML", "line 7", "mend"], id="syntax"),
        pytest.param("[runtime]", "[other]", ['"runtime" is missing', "a table"], id="no table"),
    ],
)
def test_a_mistake_is_told_with_file_key_expected_found_and_remedy(
    tmp_path: Path, old: str, new: str, parts: list[str]
) -> None:
    path = write(tmp_path, VALID.replace(old, new))

    with pytest.raises(ProfileError) as caught:
        load_profile(path)

    assert str(caught.value).startswith(path)
    assert not [part for part in parts if part not in str(caught.value)], str(caught.value)


def test_an_unknown_profile_names_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match='did you mean "pi4-coral-usb"'):
        load_profile("pi4-coral-ubs")
    with pytest.raises(ProfileError, match="cannot be read"):
        load_profile(str(tmp_path / "absent.toml"))


def test_a_ribbon_camera_needs_a_connector() -> None:
    with pytest.raises(ProfileError, match="no camera connector"):
        choose(load_profile("x86-generic"), "imx708")


def test_an_unknown_camera_names_the_nearest() -> None:
    with pytest.raises(ProfileError, match='did you mean "imx708"'):
        choose(load_profile("pi4"), "imx798")


@pytest.mark.parametrize("camera", CAMERAS)
def test_every_camera_choice_fits_a_pi(camera: str) -> None:
    device = choose(load_profile("pi4"), camera)

    assert device.uses_libcamera == (camera != "usb")
