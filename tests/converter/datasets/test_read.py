"""Choice of a reader by what a path is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from converter.batches import target_shares
from converter.datasets.read import kind_of, read_emotion, read_keypoints
from converter.datasets.types import CLASS_NAMES
from converter.errors import DataError
from converter.recipe import Training
from tests.converter.sample_data import fer_rows, keypoint_rows, point_cells, write_fer_csv, write_keypoint_csv


def test_the_header_tells_the_kind_of_a_csv_file(tmp_path: Path) -> None:
    points, pictures = keypoint_rows(1)
    faces = write_fer_csv(tmp_path / "fer.csv", fer_rows(1))
    keypoints = write_keypoint_csv(tmp_path / "points.csv", point_cells(points), pictures)

    assert kind_of(faces) == "emotion"
    assert kind_of(keypoints) == "keypoints"


def test_a_csv_file_of_neither_kind_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a,b\n1,2\n")

    with pytest.raises(DataError, match="expected columns"):
        kind_of(path)


def test_a_missing_path_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such file or folder"):
        read_emotion([tmp_path / "none.csv"])


def test_files_of_one_kind_are_joined_in_order(tmp_path: Path) -> None:
    first = write_fer_csv(tmp_path / "a.csv", fer_rows(7))
    second = write_fer_csv(tmp_path / "b.csv", fer_rows(7, seed=1))

    data = read_emotion([first, second])

    assert len(data) == 14
    np.testing.assert_array_equal(data.images[7:], read_emotion([second]).images)


def test_faces_with_an_emotion_are_no_faces_with_points(tmp_path: Path) -> None:
    path = write_fer_csv(tmp_path / "fer.csv", fer_rows(7))

    with pytest.raises(DataError, match="expected faces with points, found faces with an emotion"):
        read_keypoints([path])


def test_wide_pictures_are_cut_when_they_meet_crops(tmp_path: Path) -> None:
    points, pictures = keypoint_rows(2)
    crops = write_keypoint_csv(tmp_path / "crops.csv", point_cells(points), pictures)
    np.savez(tmp_path / "wide.npz", images=np.zeros((1, 160, 160), np.uint8), points=points[:1])

    data = read_keypoints([crops, tmp_path / "wide.npz"])

    assert data.images.shape == (3, 96, 96)


def test_faces_of_a_file_without_votes_have_unknown_ones(tmp_path: Path) -> None:
    votes = np.zeros((2, 10), np.uint8)
    votes[:, 1] = 10  # happiness
    images = np.random.default_rng(0).integers(0, 256, (2, 48, 48), dtype=np.uint8)
    np.savez(tmp_path / "voted.npz", images=images, label7=np.array([3, 3]), ferplus_votes=votes)
    unvoted = write_fer_csv(tmp_path / "fer.csv", fer_rows(7))

    data = read_emotion([unvoted, tmp_path / "voted.npz"])

    assert data.votes is not None
    assert np.isnan(data.votes[:7]).all()
    assert data.votes[7:, CLASS_NAMES.index("happy")].tolist() == [1, 1]
    assert np.isfinite(target_shares(data, 7, Training(epochs=1, votes_weight=0.3))).all()
