"""What every face detector does, held against the fake and every back-end that can be loaded here."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge_runtime.datatypes import FaceBox, ShapeError
from edge_runtime.detectors.haar import HaarDetector
from edge_runtime.detectors.yunet import YunetDetector
from edge_runtime.geometry import Box
from edge_runtime.interfaces import Detector
from edge_runtime.settings import Detector as DetectorSettings
from edge_runtime.testing import FakeDetector
from edge_runtime.wiring import open_detector
from tests.detectors.cascades import needs_cascades
from tests.detectors.yunet_model import yunet_model

MIDDLE = (224.0, 120.0)
"""A point between the eyes of the face in the photograph."""


def fake() -> Detector:
    script = [FaceBox(Box(178.0, 63.0, 268.0, 176.0), 0.9), FaceBox(Box(-20.0, 400.0, 40.0, 600.0), 0.5)]
    return FakeDetector([script])


def haar() -> Detector:
    return HaarDetector(min_face_px=40, search_width_px=320)


def yunet() -> Detector:
    return YunetDetector(yunet_model(), min_score=0.6, min_face_px=40, search_width_px=320)


def faces() -> Detector:
    return open_detector(DetectorSettings(kind="faces"))


BACK_ENDS = (fake, faces, pytest.param(haar, marks=needs_cascades, id="haar"), yunet)


@pytest.fixture(params=BACK_ENDS, ids=lambda make: getattr(make, "__name__", None))
def detector(request: pytest.FixtureRequest) -> Detector:
    make: Callable[[], Detector] = request.param
    return make()


@pytest.fixture(scope="module")
def photograph() -> NDArray[np.uint8]:
    """Return (512, 512) grey with one face."""
    data = pytest.importorskip("skimage.data", reason="the photograph comes with scikit-image")
    return np.asarray(cv2.cvtColor(data.astronaut(), cv2.COLOR_RGB2GRAY), dtype=np.uint8)


def test_a_face_is_found_where_it_is(detector: Detector, photograph: NDArray[np.uint8]) -> None:
    best = detector.detect(photograph)[0].box

    assert best.x0 < MIDDLE[0] < best.x1
    assert best.y0 < MIDDLE[1] < best.y1


def test_boxes_lie_inside_the_picture_and_have_an_area(detector: Detector, photograph: NDArray[np.uint8]) -> None:
    cut = np.ascontiguousarray(photograph[:, 200:])  # through the middle of the face

    found = [*detector.detect(photograph), *detector.detect(cut)]

    assert all(0.0 <= face.box.x0 < face.box.x1 <= 512.0 for face in found)
    assert all(0.0 <= face.box.y0 < face.box.y1 <= 512.0 for face in found)


def test_the_best_comes_first_and_scores_are_shares(detector: Detector, photograph: NDArray[np.uint8]) -> None:
    two = np.hstack([photograph, cv2.GaussianBlur(photograph, (0, 0), 3)])

    scores = [face.score for face in detector.detect(np.asarray(two, dtype=np.uint8))]

    assert scores == sorted(scores, reverse=True)
    assert all(0.0 <= score <= 1.0 for score in scores)


def test_the_picture_is_left_as_it_was_and_the_answer_repeats(
    detector: Detector, photograph: NDArray[np.uint8]
) -> None:
    before = photograph.copy()

    answers = [detector.detect(photograph), detector.detect(photograph)]

    assert answers[0] == answers[1]
    assert np.array_equal(photograph, before)


@pytest.mark.parametrize("shape", [(480, 640), (64, 64), (20, 20), (1, 1), (3, 2000)])
def test_any_size_is_searched(detector: Detector, shape: tuple[int, int]) -> None:
    grey = np.full(shape, 128, dtype=np.uint8)

    found = detector.detect(grey)

    assert len(found) == (2 if isinstance(detector, FakeDetector) else 0)


@pytest.mark.parametrize("wrong", [np.zeros((8, 8, 3), dtype=np.uint8), np.zeros((8, 8), dtype=np.float32)])
def test_colour_and_floats_are_refused(detector: Detector, wrong: NDArray[np.uint8]) -> None:
    with pytest.raises(ShapeError, match=r"expected \(height, width\) uint8"):
        detector.detect(wrong)
