"""Haar: tight boxes, no stable face where there is none, and clear words when OpenCV lacks its part."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge_runtime.datatypes import FaceBox
from edge_runtime.detectors.haar import CASCADE_FILE, HaarDetector
from edge_runtime.errors import DetectorError
from edge_runtime.geometry import Box, iou
from edge_runtime.settings import Detector as DetectorSettings
from edge_runtime.sources.video import VideoFile
from tests.detectors.cascades import needs_cascades

ASTRONAUT = Box(178.0, 63.0, 268.0, 176.0)
"""The face in scikit-image's photograph, forehead to chin, marked by hand to within a few pixels."""


@pytest.fixture(scope="module")
def photograph() -> NDArray[np.uint8]:
    data = pytest.importorskip("skimage.data", reason="the photograph comes with scikit-image")
    return np.asarray(cv2.cvtColor(data.astronaut(), cv2.COLOR_RGB2GRAY), dtype=np.uint8)


def detector(*, min_face_px: int = 40, search_width_px: int = 320, cascade: Path | None = None) -> HaarDetector:
    return HaarDetector(min_face_px=min_face_px, search_width_px=search_width_px, cascade=cascade)


@needs_cascades
@pytest.mark.parametrize("search_width_px", [256, 320, 512])
def test_the_box_is_tight_whatever_the_frame_was_shrunk_to(photograph: NDArray[np.uint8], search_width_px: int) -> None:
    (face,) = detector(search_width_px=search_width_px).detect(photograph)

    assert iou(face.box, ASTRONAUT) > 0.7
    assert face.score > 0.9


@needs_cascades
def test_faces_smaller_than_asked_for_are_not_looked_for(photograph: NDArray[np.uint8]) -> None:
    assert not detector(min_face_px=200).detect(photograph)


@needs_cascades
def test_a_missing_cascade_is_named_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(DetectorError, match=r"none\.xml: no such cascade; .*pip install .*apt install opencv-data"):
        detector(cascade=tmp_path / "none.xml")


@needs_cascades
@pytest.mark.parametrize("content", ["", "<opencv_storage>", "<?xml version='1.0'?><opencv_storage></opencv_storage>"])
def test_a_damaged_cascade_is_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / CASCADE_FILE
    path.write_text(content)

    with pytest.raises(DetectorError, match="not a cascade that OpenCV can read"):
        detector(cascade=path)


def test_opencv_5_without_cascades_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(cv2, "CascadeClassifier", raising=False)

    with pytest.raises(
        DetectorError, match=r"has no Haar cascades: pip install 'opencv-python-headless<5', or .*faces"
    ):
        detector()


@needs_cascades
@pytest.mark.media
@pytest.mark.parametrize("every", [1, DetectorSettings().every_n_frames])
def test_no_face_is_stable_where_there_is_none(media_dir: Path, every: int) -> None:
    settings = DetectorSettings()
    haar = detector(min_face_px=settings.min_face_px, search_width_px=settings.search_width_px)
    clips = [
        clip["file"]
        for clip in json.loads((media_dir / "clips.json").read_text(encoding="utf-8"))
        if clip["faces_max"] == 0
    ]

    longest = {name: longest_streak(runs(haar, media_dir / name, every)) for name in clips}

    assert len(clips) == 2
    assert max(longest.values()) < 3, longest


def test_the_streak_is_counted_per_place() -> None:
    here, there = [FaceBox(Box(0, 0, 10, 10), 1.0)], [FaceBox(Box(50, 50, 60, 60), 1.0)]

    assert longest_streak([here, here, there, here, here, here, []]) == 3
    assert longest_streak([here, there, here, there]) == 1
    assert longest_streak([]) == 0


def runs(haar: HaarDetector, path: Path, every: int) -> Iterator[Sequence[FaceBox]]:
    with VideoFile(path) as source:
        for frame in itertools.islice(source.frames(), 0, None, every):
            yield haar.detect(frame.pixels)


def longest_streak(found: Iterator[Sequence[FaceBox]] | list[list[FaceBox]]) -> int:
    """Return how many runs in a row found a face in the same place."""
    longest, before = 0, list[tuple[FaceBox, int]]()
    for faces in found:
        before = [
            (face, 1 + max((count for old, count in before if iou(old.box, face.box) >= 0.3), default=0))
            for face in faces
        ]
        longest = max([longest, *(count for _, count in before)])
    return longest
