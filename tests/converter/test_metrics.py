"""Figures of merit against values computed by hand."""

from __future__ import annotations

import numpy as np
import pytest

from converter import metrics
from edge_runtime.contract import KEYPOINT_COUNT, LEFT_EYE, RIGHT_EYE


def test_confusion_has_the_truth_in_rows() -> None:
    table = metrics.confusion(np.array([0, 1, 1]), np.array([0, 0, 1]), 2)

    assert table.tolist() == [[1, 1], [0, 1]]


def test_macro_f1_of_a_small_table() -> None:
    # Class 0: precision 1, recall 1/2, F1 2/3. Class 1: precision 1/2, recall 1, F1 2/3.
    assert metrics.macro_f1(np.array([[1, 1], [0, 1]])) == pytest.approx(2 / 3)


def test_a_class_that_does_not_occur_counts_nothing() -> None:
    assert metrics.macro_f1(np.array([[3, 0], [0, 0]])) == 1
    assert np.isnan(metrics.recall_per_class(np.array([[3, 0], [0, 0]]))[1])


def test_calibration_error_is_the_gap_between_confidence_and_accuracy() -> None:
    shares = np.array([[0.8, 0.2]] * 10)
    labels = np.array([0] * 6 + [1] * 4)

    assert metrics.expected_calibration_error(shares, labels) == pytest.approx(0.2)


def test_rmse_counts_x_and_y_separately_and_leaves_out_missing_points() -> None:
    points = np.zeros((1, KEYPOINT_COUNT, 2), np.float32)
    points[0, 10] = np.nan
    found = np.zeros_like(points)
    found[0, 0] = 3, 4

    # 25 of squared error over 28 annotated coordinates.
    assert metrics.rmse_px(found, points) == pytest.approx(np.sqrt(25 / 28))
    assert metrics.rmse_per_point(found, points)[0] == pytest.approx(np.sqrt(12.5))
    assert np.isnan(metrics.rmse_per_point(found, points)[10])


def test_nme_is_relative_to_the_distance_of_the_eyes() -> None:
    points = np.zeros((1, KEYPOINT_COUNT, 2), np.float32)
    points[0, LEFT_EYE], points[0, RIGHT_EYE] = (40, 0), (20, 0)

    assert metrics.nme(points + 1.0, points) == pytest.approx(np.sqrt(2) / 20)


def test_the_side_that_labels_lie_to_is_told_whatever_side_a_net_has_learnt() -> None:
    points = np.full((2, KEYPOINT_COUNT, 2), 40.0)
    points[0, 3] = np.nan
    labels = points + np.array([1.5, 0.0])

    side = np.array([1.5, 0.3])
    learnt = metrics.side_shift_px(points + side, points - side, labels)
    unlearnt = metrics.side_shift_px(points, points, labels)

    assert learnt == pytest.approx(1.5)
    assert unlearnt == pytest.approx(1.5)


def test_calibration_error_of_no_face_is_unknown() -> None:
    assert np.isnan(metrics.expected_calibration_error(np.zeros((0, 5)), np.zeros(0, np.int64)))
