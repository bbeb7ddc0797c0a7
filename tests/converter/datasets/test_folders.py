"""Reader of class folders."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from converter.datasets.folders import read_folder
from converter.datasets.types import CLASS_NAMES, PUBLIC_TEST, TRAINING
from converter.errors import DataError
from tests.converter.sample_data import striped_face


def put(path: Path, label: int, *, side: int = 48) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), striped_face(label, np.random.default_rng(label), side))


def test_folder_names_are_class_names(tmp_path: Path) -> None:
    put(tmp_path / "happy" / "a.png", 0)
    put(tmp_path / "Surprise" / "b.png", 1)

    data = read_folder(tmp_path)

    assert sorted(CLASS_NAMES[label] for label in data.labels) == ["happy", "surprise"]
    assert set(data.usage) == {TRAINING}


def test_train_and_test_folders_become_usages(tmp_path: Path) -> None:
    put(tmp_path / "train" / "sad" / "a.png", 0)
    put(tmp_path / "test" / "sad" / "b.png", 1)

    data = read_folder(tmp_path)

    assert sorted(data.usage) == [TRAINING, PUBLIC_TEST]


def test_an_unknown_folder_is_an_error(tmp_path: Path) -> None:
    put(tmp_path / "joyful" / "a.png", 0)

    with pytest.raises(DataError, match=r"expected folders named angry, .*found joyful"):
        read_folder(tmp_path)


def test_pictures_of_two_sizes_are_an_error(tmp_path: Path) -> None:
    put(tmp_path / "sad" / "a.png", 0)
    put(tmp_path / "sad" / "b.png", 0, side=64)

    with pytest.raises(DataError, match=r"b\.png: expected \(48, 48\) pixels"):
        read_folder(tmp_path)


@pytest.mark.parametrize("content", [b"", b"no picture"])
def test_a_broken_picture_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "sad").mkdir()
    (tmp_path / "sad" / "a.png").write_bytes(content)

    with pytest.raises(DataError, match=r"a\.png: not a readable picture"):
        read_folder(tmp_path)


def test_an_empty_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="expected class folders with pictures"):
        read_folder(tmp_path)


def test_an_unknown_folder_beside_train_and_test_is_named(tmp_path: Path) -> None:
    for part in ("train", "test", "val"):
        put(tmp_path / part / "sad" / "a.png", 0)

    with pytest.raises(DataError, match=r"val: expected folders named .*train, test beside test"):
        read_folder(tmp_path)


def test_hidden_files_are_no_pictures(tmp_path: Path) -> None:
    put(tmp_path / "sad" / "a.png", 0)
    (tmp_path / "sad" / "._a.png").write_bytes(b"what a file system keeps beside a picture")

    assert len(read_folder(tmp_path)) == 1
