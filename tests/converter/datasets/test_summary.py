"""Counts of a data file."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from converter.datasets.contact_sheet import emotion_sheet, keypoint_sheet
from converter.datasets.fer_csv import read_fer_csv
from converter.datasets.summary import summarize_emotion, summarize_keypoints
from converter.datasets.types import KeypointData
from edge_runtime.contract import KEYPOINT_NAMES
from tests.converter.sample_data import fer_rows, keypoint_rows, write_fer_csv


def test_classes_are_counted_by_usage(tmp_path: Path) -> None:
    rows = [*fer_rows(15), *fer_rows(2, usage="PublicTest", seed=9)]

    summary = summarize_emotion(read_fer_csv(write_fer_csv(tmp_path / "fer.csv", rows)))

    assert summary["faces"] == 17
    assert summary["classes"]["Training"]["angry"] == 3
    assert summary["classes"]["PublicTest"] == {
        "angry": 1, "disgust": 1, "sad": 0, "happy": 0, "surprise": 0, "neutral": 0, "fear": 0,
    }  # fmt: skip
    assert summary["copies"]["pictures"] == 0


def test_copies_across_parts_and_labels_are_counted(tmp_path: Path) -> None:
    first = fer_rows(7)
    moved = ("3", first[0][1], "PublicTest")

    summary = summarize_emotion(read_fer_csv(write_fer_csv(tmp_path / "fer.csv", [*first, moved])))

    assert summary["copies"] == {"pictures": 2, "groups": 1, "groups_across_parts": 1, "groups_across_labels": 1}


def test_missing_points_are_counted_by_name() -> None:
    data = keypoint_data()
    data.points[:2, 10] = np.nan

    summary = summarize_keypoints(data)

    assert summary["missing"][KEYPOINT_NAMES[10]] == 2
    assert summary["complete"] == 1
    assert summary["sources"] == {"a": 1, "b": 2}


def test_a_contact_sheet_shows_every_class(tmp_path: Path) -> None:
    data = read_fer_csv(write_fer_csv(tmp_path / "fer.csv", fer_rows(20)))

    sheet = emotion_sheet(data, np.random.default_rng(0))

    assert sheet.shape == (7 * (24 + 120), 12 * 120, 3)


def test_a_contact_sheet_draws_points_in_green() -> None:
    sheet = keypoint_sheet(keypoint_data(), np.random.default_rng(0))

    assert (sheet == (0, 255, 0)).all(axis=2).any()


def keypoint_data() -> KeypointData:
    """Three faces of two sources."""
    points, pictures = keypoint_rows(3)
    return KeypointData(np.stack(pictures), points, np.array(["1", "2", "3"]), np.array(["a", "b", "b"]))
