from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from converter.errors import DataError
from converter.faces.data import Scene
from converter.faces.scenes import framed, judge_detector, read_scenes, wilson
from edge_runtime.datatypes import FaceBox
from edge_runtime.geometry import Box


class Scripted:
    """Answers every frame with the same boxes."""

    name = "scripted"

    def __init__(self, *boxes: Box) -> None:
        self._found = [FaceBox(box, 0.9) for box in boxes]

    def detect(self, pixels: NDArray[np.uint8]) -> Sequence[FaceBox]:
        assert pixels.shape == (480, 640)
        return self._found


def scene(*boxes: tuple[float, float, float, float], ignored: Sequence[bool] = ()) -> Scene:
    corners = np.array(boxes, np.float32).reshape(-1, 4)
    return Scene(np.zeros((480, 640), np.uint8), corners, np.array(ignored or [False] * len(boxes), bool))


def test_every_range_counts_its_own_faces_and_false_alarms() -> None:
    truth = scene((0, 0, 70, 90), (100, 0, 150, 60), (200, 0, 230, 40))
    finds = Scripted(Box(0, 0, 70, 88), Box(200, 0, 230, 40), Box(400, 300, 450, 350))

    figures = judge_detector(finds, [truth], width=640, height=480)

    assert figures["over_60"]["recall"] == 1.0
    assert figures["over_60"]["precision"] == 1.0
    assert figures["from_40_to_60"] == {
        "n": 1,
        "recall": 0.0,
        "recall_ci95": wilson(0, 1),
        "finds": 1,
        "precision": 0.0,
        "precision_ci95": wilson(0, 1),
    }
    assert figures["from_20_to_40"]["recall"] == 1.0


def test_a_find_on_an_invalid_face_is_no_false_alarm() -> None:
    truth = scene((0, 0, 70, 90), ignored=[True])

    figures = judge_detector(Scripted(Box(0, 0, 70, 90)), [truth], width=640, height=480)

    assert figures["over_60"]["n"] == 0
    assert figures["over_60"]["recall"] is None
    assert figures["over_60"]["finds"] == 0


def test_photographs_are_shrunk_into_the_middle_of_the_frame() -> None:
    photograph = Scene(np.full((1200, 800), 200, np.uint8), np.array([[0, 0, 80, 120]], np.float32), np.array([False]))

    frame = framed(photograph, 640, 480)

    assert frame.pixels.shape == (480, 640)
    assert frame.boxes[0].tolist() == [160, 0, 192, 48]
    assert frame.pixels[:, 160:480].min() == 200
    assert frame.pixels[:, :160].max() == 0


def test_small_photographs_are_not_enlarged() -> None:
    photograph = Scene(np.full((100, 100), 200, np.uint8), np.array([[0, 0, 50, 50]], np.float32), np.array([False]))

    assert framed(photograph, 640, 480).boxes[0].tolist() == [270, 190, 320, 240]


def test_a_folder_with_scenes_json_is_read(tmp_path: Path) -> None:
    (tmp_path / "scenes").mkdir()
    cv2.imwrite(str(tmp_path / "scenes" / "a.jpg"), np.full((40, 60), 99, np.uint8))
    entry = {"file": "scenes/a.jpg", "faces": [{"box": [1, 2, 10, 20], "invalid": 1, "blur": 2}]}
    (tmp_path / "scenes.json").write_text(json.dumps([entry]))

    for path in (tmp_path, tmp_path / "scenes"):
        (found,) = read_scenes(path)
        assert found.pixels.shape == (40, 60)
        assert found.boxes.tolist() == [[1, 2, 11, 22]]
        assert found.ignored.tolist() == [True]


def test_a_folder_without_scenes_json_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no scenes\.json in it or beside it"):
        read_scenes(tmp_path / "nothing")


def test_the_interval_of_a_share_is_wilsons() -> None:
    # Table value for 9 of 10: 0.5958 to 0.9821.
    assert wilson(9, 10) == pytest.approx([0.5958, 0.9821], abs=1e-4)
    assert wilson(0, 0) is None
