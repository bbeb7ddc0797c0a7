"""YuNet: a file that is missing or unknown is told apart; boxes do not depend on the size searched."""

from __future__ import annotations

import logging
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge_runtime.detectors.yunet import KNOWN_SHA256, YunetDetector
from edge_runtime.errors import DetectorError
from edge_runtime.geometry import Box, iou
from tests.detectors.yunet_model import yunet_model

ASTRONAUT = Box(178.0, 63.0, 268.0, 176.0)
"""The face in scikit-image's photograph, forehead to chin, marked by hand to within a few pixels."""


@pytest.fixture(scope="module")
def photograph() -> NDArray[np.uint8]:
    data = pytest.importorskip("skimage.data", reason="the photograph comes with scikit-image")
    return np.asarray(cv2.cvtColor(data.astronaut(), cv2.COLOR_RGB2GRAY), dtype=np.uint8)


def detector(model: Path, *, search_width_px: int = 320, min_face_px: int = 40) -> YunetDetector:
    return YunetDetector(model, min_score=0.6, min_face_px=min_face_px, search_width_px=search_width_px)


def test_a_missing_model_is_named_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(DetectorError, match=r"none\.onnx: cannot read .*No such file.*2023mar\.onnx.*--face-model"):
        detector(tmp_path / "none.onnx")


def test_an_unknown_file_is_warned_about_and_one_that_is_no_net_is_refused(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "other.onnx"
    path.write_bytes(b"not a net")

    with caplog.at_level(logging.WARNING), pytest.raises(DetectorError, match="cannot use it as YuNet"):
        detector(path)

    assert f"is not the known {KNOWN_SHA256[:12]}" in caplog.text


def test_the_known_file_loads_without_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    model = yunet_model()

    with caplog.at_level(logging.WARNING):
        detector(model)

    assert not caplog.records


@pytest.mark.parametrize("search_width_px", [160, 320, 512, 1000])
def test_the_box_is_in_frame_pixels_whatever_the_frame_was_shrunk_to(
    photograph: NDArray[np.uint8], search_width_px: int
) -> None:
    faces = detector(yunet_model(), search_width_px=search_width_px).detect(photograph)

    assert [iou(face.box, ASTRONAUT) > 0.7 for face in faces] == [True]


def test_frames_may_change_their_size(photograph: NDArray[np.uint8]) -> None:
    yunet = detector(yunet_model())
    upper = np.ascontiguousarray(photograph[:300])

    found = [yunet.detect(pixels) for pixels in (photograph, upper, photograph)]

    assert [len(faces) for faces in found] == [1, 1, 1]
    assert found[0] == found[2]
    assert iou(found[1][0].box, ASTRONAUT) > 0.7


def test_faces_smaller_than_asked_for_are_left_out(photograph: NDArray[np.uint8]) -> None:
    assert not detector(yunet_model(), min_face_px=200).detect(photograph)
