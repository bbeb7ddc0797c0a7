"""Reader of FER2013-style CSV files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from converter.datasets.fer_csv import read_fer_csv
from converter.datasets.types import CLASS_NAMES, PRIVATE_TEST, PUBLIC_TEST, TRAINING
from converter.errors import DataError
from tests.converter.sample_data import fer_rows, pixels_text, striped_face, write_fer_csv


def test_fer_numbers_become_our_classes(tmp_path: Path) -> None:
    path = write_fer_csv(tmp_path / "fer.csv", fer_rows(7))

    data = read_fer_csv(path)

    assert [CLASS_NAMES[label] for label in data.labels] == [
        "angry", "disgust", "fear", "happy", "sad", "surprise", "neutral",
    ]  # fmt: skip


def test_pixels_come_back_as_they_were_written(tmp_path: Path) -> None:
    picture = striped_face(3, np.random.default_rng(1))
    path = write_fer_csv(tmp_path / "fer.csv", [("6", pixels_text(picture), "Training")])

    data = read_fer_csv(path)

    np.testing.assert_array_equal(data.images[0], picture)


def test_a_header_with_leading_blanks_is_understood(tmp_path: Path) -> None:
    rows = [(emotion, usage, pixels) for emotion, pixels, usage in fer_rows(7, usage="PublicTest")]
    path = write_fer_csv(tmp_path / "icml_face_data.csv", rows, header="emotion, Usage, pixels")

    data = read_fer_csv(path)

    assert set(data.usage) == {PUBLIC_TEST}


def test_all_three_usages_are_read(tmp_path: Path) -> None:
    rows = [*fer_rows(7), *fer_rows(1, usage="PublicTest"), *fer_rows(1, usage="PrivateTest")]

    data = read_fer_csv(write_fer_csv(tmp_path / "fer.csv", rows))

    assert data.usage.tolist() == [TRAINING] * 7 + [PUBLIC_TEST, PRIVATE_TEST]


def test_a_file_without_usage_is_all_training(tmp_path: Path) -> None:
    path = tmp_path / "fer.csv"
    path.write_text("\n".join(["emotion,pixels", *(f"{row[0]},{row[1]}" for row in fer_rows(7))]))

    data = read_fer_csv(path)

    assert set(data.usage) == {TRAINING}


def test_numbers_0_to_4_are_never_guessed(tmp_path: Path) -> None:
    path = write_fer_csv(tmp_path / "five.csv", fer_rows(10, classes=5))

    with pytest.raises(DataError, match="--labels fer7 or --labels five"):
        read_fer_csv(path)


@pytest.mark.parametrize(
    ("order", "names"),
    [
        ("five", ["angry", "disgust", "sad", "happy", "surprise"]),
        ("fer7", ["angry", "disgust", "fear", "happy", "sad"]),
    ],
)
def test_asked_labels_decide_what_0_to_4_mean(tmp_path: Path, order: str, names: list[str]) -> None:
    path = write_fer_csv(tmp_path / "five.csv", fer_rows(5, classes=5))

    data = read_fer_csv(path, "five" if order == "five" else "fer7")

    assert [CLASS_NAMES[label] for label in data.labels] == names


def test_a_5_in_a_five_class_file_is_an_error(tmp_path: Path) -> None:
    path = write_fer_csv(tmp_path / "fer.csv", fer_rows(7))

    with pytest.raises(DataError, match=r"fer\.csv, line 7, column emotion: expected 0\.\.4, found '5'"):
        read_fer_csv(path, "five")


GOOD = fer_rows(2)
BAD_ROWS = [
    (("7", GOOD[0][1], "Training"), r"line 3, column emotion: expected 0\.\.6, found '7'"),
    (("-1", GOOD[0][1], "Training"), r"line 3, column emotion: expected 0\.\.6, found '-1'"),
    (("", GOOD[0][1], "Training"), r"line 3, column emotion: expected 0\.\.6, found ''"),
    (("happy", GOOD[0][1], "Training"), r"line 3, column emotion: expected 0\.\.6, found 'happy'"),
    (("0", GOOD[0][1], "Test"), r"line 3, column Usage: expected one of .*found 'Test'"),
    (("0", GOOD[0][1] + " 0", "Training"), r"line 3, column pixels: expected 2304 numbers, found 2305"),
    (("0", "", "Training"), r"line 3, column pixels: expected 2304 numbers, found 0"),
    (("0", GOOD[0][1].rsplit(" ", 1)[0] + " 256", "Training"), r"line 3, column pixels: .*0\.\.255, found 256"),
    (("0", GOOD[0][1].rsplit(" ", 1)[0] + " 1.5", "Training"), r"line 3, column pixels: .*0\.\.255, found 1\.5"),
    (("0", GOOD[0][1].rsplit(" ", 1)[0] + " nan", "Training"), r"line 3, column pixels: .*0\.\.255, found nan"),
    (("0", GOOD[0][1].rsplit(" ", 1)[0] + " x", "Training"), r"line 3, column pixels: expected whole numbers"),
]


@pytest.mark.parametrize(("row", "message"), BAD_ROWS)
def test_a_bad_row_is_named_with_what_was_expected(tmp_path: Path, row: tuple[str, str, str], message: str) -> None:
    path = write_fer_csv(tmp_path / "fer.csv", [GOOD[0], row])

    with pytest.raises(DataError, match=message):
        read_fer_csv(path)


def test_a_ragged_row_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "fer.csv"
    path.write_text(f"emotion,pixels,Usage\n0,{GOOD[0][1]}\n")

    with pytest.raises(DataError, match=r"fer\.csv, line 2: expected 3 cells, found 2"):
        read_fer_csv(path)


def test_a_missing_column_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "fer.csv"
    path.write_text("emotion,Usage\n0,Training\n")

    with pytest.raises(DataError, match=r"missing \['pixels'\]; found \['emotion', 'Usage'\]"):
        read_fer_csv(path)


def test_a_file_without_rows_is_an_error(tmp_path: Path) -> None:
    path = write_fer_csv(tmp_path / "fer.csv", [])

    with pytest.raises(DataError, match="holds no row"):
        read_fer_csv(path)


def test_a_binary_file_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "fer.csv"
    path.write_bytes(b"\xff\xfe\x00\x01emotion")

    with pytest.raises(DataError, match="not a CSV file"):
        read_fer_csv(path)


def test_pictures_that_are_not_square_are_an_error(tmp_path: Path) -> None:
    path = write_fer_csv(tmp_path / "fer.csv", [("6", "1 2 3 4 5", "Training")])

    with pytest.raises(DataError, match="expected a square picture, found 5 numbers"):
        read_fer_csv(path)


def test_the_usage_column_counts_in_any_case(tmp_path: Path) -> None:
    path = write_fer_csv(tmp_path / "fer.csv", fer_rows(7, usage="PublicTest"), header="emotion,pixels,usage")

    assert set(read_fer_csv(path).usage) == {PUBLIC_TEST}
