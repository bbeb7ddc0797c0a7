"""Reader of the Kaggle facial-keypoints CSV."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from converter.datasets.keypoint_csv import read_keypoint_csv
from converter.errors import DataError
from edge_runtime.contract import INPUT_SIZE_PX, KEYPOINT_COUNT
from tests.converter.sample_data import keypoint_rows, point_cells, write_keypoint_csv


def test_points_and_pictures_come_back_as_they_were_written(tmp_path: Path) -> None:
    points, pictures = keypoint_rows(3)
    path = write_keypoint_csv(tmp_path / "training.csv", point_cells(points), pictures)

    data = read_keypoint_csv(path)

    np.testing.assert_allclose(data.points, points, atol=0.006)
    np.testing.assert_array_equal(data.crops, np.stack(pictures))
    assert set(data.source) == {"training"}


def test_an_empty_cell_is_a_point_that_is_not_annotated(tmp_path: Path) -> None:
    points, pictures = keypoint_rows(2)
    points[1, 10] = np.nan
    path = write_keypoint_csv(tmp_path / "training.csv", point_cells(points), pictures)

    data = read_keypoint_csv(path)

    assert np.argwhere(np.isnan(data.points)).tolist() == [[1, 10, 0], [1, 10, 1]]


def test_exact_copies_share_a_group_and_others_do_not(tmp_path: Path) -> None:
    points, pictures = keypoint_rows(3)
    path = write_keypoint_csv(tmp_path / "training.csv", point_cells(points), [pictures[0], pictures[1], pictures[0]])

    data = read_keypoint_csv(path)

    assert data.person[0] == data.person[2]
    assert data.person[0] != data.person[1]


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("1000", r"line 2, column left_eye_center_x: expected -24\.\.120 pixels, found 1000"),
        ("nan", r"line 2, column left_eye_center_x: expected -24\.\.120 pixels, found nan"),
        ("left", r"line 2, column left_eye_center_x: expected a number or nothing, found 'left'"),
    ],
)
def test_a_bad_coordinate_is_named(tmp_path: Path, cell: str, message: str) -> None:
    points, pictures = keypoint_rows(1)
    cells = point_cells(points)
    cells[0][0] = cell
    path = write_keypoint_csv(tmp_path / "training.csv", cells, pictures)

    with pytest.raises(DataError, match=message):
        read_keypoint_csv(path)


def test_a_picture_of_another_size_is_an_error(tmp_path: Path) -> None:
    points, pictures = keypoint_rows(1)
    path = write_keypoint_csv(tmp_path / "training.csv", point_cells(points), [pictures[0][:-1]])

    with pytest.raises(DataError, match="column Image: expected 9216 numbers, found 9120"):
        read_keypoint_csv(path)


def test_the_test_file_of_the_competition_has_no_points(tmp_path: Path) -> None:
    path = tmp_path / "test.csv"
    path.write_text("ImageId,Image\n1,0 0 0 0\n")

    with pytest.raises(DataError, match=r"missing .*left_eye_center_x"):
        read_keypoint_csv(path)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    values=st.lists(
        st.none() | st.floats(-24, INPUT_SIZE_PX + 24, width=32),
        min_size=2 * KEYPOINT_COUNT,
        max_size=2 * KEYPOINT_COUNT,
    )
)
def test_every_allowed_row_is_read_back(tmp_path: Path, values: list[float | None]) -> None:
    cells = ["" if value is None else repr(value) for value in values]
    picture = np.zeros((INPUT_SIZE_PX, INPUT_SIZE_PX), np.uint8)
    path = write_keypoint_csv(tmp_path / "any.csv", [cells], [picture])

    found = read_keypoint_csv(path).points.ravel()

    expected = np.array([np.nan if value is None else value for value in values], np.float32)
    np.testing.assert_array_equal(found, expected)
