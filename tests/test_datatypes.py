"""What flows through the pipeline refuses wrong forms where it is made."""

from __future__ import annotations

import numpy as np
import pytest

from edge_runtime.contract import EMOTION_LABELS, KEYPOINT_NAMES
from edge_runtime.datatypes import Emotion, Frame, Keypoints, ShapeError
from tests.faces import FACE_IN_CROP, emotion, face, seen


def test_a_frame_knows_its_size() -> None:
    frame = Frame(0, 0.0, np.zeros((480, 640), np.uint8))

    assert (frame.width, frame.height) == (640, 480)


@pytest.mark.parametrize(
    ("pixels", "found"),
    [
        (np.zeros((4, 4, 3), np.uint8), r"\(4, 4, 3\) uint8"),
        (np.zeros((4, 4), np.float32), r"\(4, 4\) float32"),
        (np.zeros((0, 4), np.uint8), r"\(0, 4\) uint8"),
        (np.zeros(16, np.uint8), r"\(16,\) uint8"),
    ],
)
def test_a_frame_that_is_no_grey_picture_is_refused(pixels: np.ndarray, found: str) -> None:
    with pytest.raises(ShapeError, match=rf"frame 7: expected \(height, width\) uint8, found {found}"):
        Frame(7, 0.0, pixels)


@pytest.mark.parametrize("shape", [(14, 2), (15, 3), (30,)])
def test_another_number_of_points_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError, match=r"keypoints: expected \(15, 2\), found"):
        Keypoints(np.zeros(shape, np.float32))


def test_points_are_found_by_name_in_the_contracts_order() -> None:
    points = Keypoints(FACE_IN_CROP)

    assert points["nose_tip"] == (48.0, 57.0)
    assert points["left_eye_center"] == (66.0, 37.0)
    assert list(points.as_dict()) == list(KEYPOINT_NAMES)
    assert points.as_dict()["mouth_center_bottom_lip"] == (48.0, 81.0)


@pytest.mark.parametrize("label", EMOTION_LABELS)
def test_the_label_is_the_largest_score(label: str) -> None:
    assert emotion(label).leading == emotion(label).label == label


def test_without_an_answer_the_label_is_uncertain() -> None:
    shown = emotion("sad", uncertain_reason="blurred")

    assert shown.label == "uncertain"
    assert shown.leading == "sad"


def test_of_two_equal_scores_the_first_leads() -> None:
    assert Emotion((0.1, 0.3, 0.3, 0.2, 0.1), 0.3, None).leading == "disgust"


def test_scores_are_named_in_the_contracts_order() -> None:
    scores = Emotion((0.1, 0.2, 0.3, 0.4, 0.0), 0.4, None).as_dict()

    assert scores == {"angry": 0.1, "disgust": 0.2, "sad": 0.3, "happy": 0.4, "surprise": 0.0}


def test_the_primary_face_is_the_one_with_the_largest_box() -> None:
    small, large = face(1), face(2)
    large = type(large)(2, large.box.scaled(1.1), large.keypoints, large.emotion)

    assert seen(0.0, small, large).primary is large
    assert seen(0.0, large, small).primary is large
    assert seen(0.0).primary is None


def test_the_size_of_a_face_is_the_longer_side_of_its_box() -> None:
    assert face().size_px == pytest.approx(108)
