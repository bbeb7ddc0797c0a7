"""What `data check` tells and draws of pictures with face boxes."""

from __future__ import annotations

import numpy as np

from converter.datasets.contact_sheet import TILE_PX
from converter.faces.data import DetectionData, Scene
from converter.faces.summary import detection_sheet, summarize_detection

GREY = 90


def scenes() -> DetectionData:
    """Hold a picture with a small, a turned and an ignored face, and one without."""
    boxes = np.array([[10, 10, 20, 22], [40, 30, 80, 80], [0, 0, 6, 90]], np.float32)
    flags = np.array([[False, False], [False, True], [True, False]])
    pictures = (
        Scene(np.full((100, 120), GREY, np.uint8), boxes, flags[:, 0], flags[:, 1]),
        Scene(np.full((50, 60), GREY, np.uint8), np.empty((0, 4), np.float32), np.empty(0, bool)),
    )
    return DetectionData(pictures, np.array(["a", "b"]))


def test_boxes_are_counted_by_what_they_are_for() -> None:
    told = summarize_detection(scenes())

    assert (told["pictures"], told["without_faces"], told["groups"]) == (2, 1, 2)
    assert (told["boxes"], told["to_find"], told["to_ignore"], told["unusual_pose"]) == (3, 2, 1, 1)
    assert told["to_find_by_size_px"] == {"0-8": 0, "8-16": 1, "16-32": 0, "32-64": 1, "64-128": 0, "128 and more": 0}


def test_a_sheet_has_a_block_for_each_kind_of_box_that_occurs() -> None:
    sheet = detection_sheet(scenes(), np.random.default_rng(0))

    blocks = sheet.shape[0] // TILE_PX  # of one row of tiles and a title
    colours = {tuple(pixel) for pixel in sheet[:, :TILE_PX].reshape(-1, 3).tolist()}
    assert blocks == 3
    assert {(0, 255, 0), (255, 160, 0), (0, 255, 255)} <= colours


def test_pictures_without_any_face_can_be_drawn_too() -> None:
    without = scenes().take(np.array([False, True]))

    assert detection_sheet(without, np.random.default_rng(0)).ndim == 3
    assert summarize_detection(without)["boxes"] == 0
