"""Folders of pictures: name order, a steady rate, and no stop at a damaged file."""

from __future__ import annotations

import logging
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge_runtime.errors import SourceError
from edge_runtime.sources.pictures import PictureFolder
from tests.sources.pictures import brightness, ramps, write_folder


def test_pictures_come_in_the_order_of_their_names_at_the_given_rate(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, ramps(4))
    (folder / "notes.txt").write_text("no picture")

    with PictureFolder(folder, fps=10.0) as source:
        frames = list(source.frames())

    assert [brightness(frame.pixels) for frame in frames] == [0, 1, 2, 3]
    assert [frame.captured_at for frame in frames] == pytest.approx([0.0, 0.1, 0.2, 0.3])


def test_unreadable_pictures_are_skipped_and_counted_with_one_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = write_folder(tmp_path, ramps(4))
    (folder / "001.png").write_bytes(b"")
    (folder / "002.png").write_bytes(b"nonsense")

    with caplog.at_level(logging.WARNING), PictureFolder(folder, fps=10.0) as source:
        frames = list(source.frames())

    assert [(frame.index, frame.captured_at) for frame in frames] == [(0, 0.0), (1, pytest.approx(0.3))]
    assert source.skipped == 2
    assert [record.getMessage() for record in caplog.records] == [f"{folder}: 2 of 4 pictures could not be read"]


def test_one_picture_is_a_clip_of_one_frame(tmp_path: Path) -> None:
    write_folder(tmp_path, ramps(1))

    with PictureFolder(tmp_path / "000.png", fps=10.0) as source:
        assert len(list(source.frames())) == 1


def test_colour_becomes_grey_by_its_luma(tmp_path: Path) -> None:
    assert cv2.imwrite(str(tmp_path / "green.png"), np.full((8, 8, 3), (0, 255, 0), dtype=np.uint8))

    with PictureFolder(tmp_path, fps=1.0) as source:
        (frame,) = source.frames()

    assert int(frame.pixels[0, 0]) in {149, 150}  # 0.587 x 255, the share of green in ITU-R BT.601


def test_a_folder_without_pictures_says_what_was_expected(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"no pictures; expected files that end in .*\.jpg"):
        PictureFolder(tmp_path, fps=1.0).__enter__()


def test_a_folder_of_damaged_pictures_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"nonsense")

    with PictureFolder(tmp_path, fps=1.0) as source, pytest.raises(SourceError, match="none of 1 pictures can be read"):
        list(source.frames())


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"nowhere: cannot list the folder \(No such file"):
        PictureFolder(tmp_path / "nowhere", fps=1.0).__enter__()
