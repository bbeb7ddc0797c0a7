"""The demo: the same frames in every run, a face that leaves once and comes back, and no jump where it loops."""

from __future__ import annotations

import hashlib
import itertools
import sys

import numpy as np
import pytest

from edge_runtime.errors import SourceError
from edge_runtime.settings import Detector as DetectorSettings
from edge_runtime.sources.demo import FPS, FRAME_COUNT, HEIGHT_PX, WIDTH_PX, Demo, camera_matrix
from edge_runtime.wiring import open_detector

pytest.importorskip("skimage", reason="the demo's photograph comes with scikit-image")


def digest(count: int) -> str:
    whole = hashlib.sha256()
    with Demo() as source:
        for frame in itertools.islice(source.frames(), count):
            whole.update(frame.pixels.tobytes())
    return whole.hexdigest()


def test_it_lasts_twelve_seconds_at_25_frames_a_second() -> None:
    with Demo() as source:
        frames = [(frame.width, frame.height, frame.captured_at) for frame in source.frames()]

    assert len(frames) == FRAME_COUNT == 300
    assert {frame[:2] for frame in frames} == {(WIDTH_PX, HEIGHT_PX)} == {(640, 480)}
    assert frames[-1][2] == pytest.approx(12.0 - 1 / FPS)


def test_two_runs_give_the_same_pixels() -> None:
    assert digest(20) == digest(20)


def test_asked_to_loop_it_starts_again_while_time_goes_on() -> None:
    with Demo(loop=True) as source:
        frames = list(itertools.islice(source.frames(), FRAME_COUNT + 2))

    assert frames[FRAME_COUNT].index == FRAME_COUNT
    assert frames[FRAME_COUNT].captured_at == pytest.approx(12.0)
    assert np.array_equal(frames[FRAME_COUNT].pixels, frames[0].pixels)


def test_the_camera_never_jumps_also_not_where_it_loops() -> None:
    corners = np.array([[174, 172, 1], [274, 172, 1], [224, 122, 1]], dtype=np.float64).T  # about the face
    seen = np.array([camera_matrix((i % FRAME_COUNT) / FPS) @ corners for i in range(FRAME_COUNT + 1)])

    # A third of the face's width a frame, at most: a tracker that looks every few frames still follows.
    assert np.abs(np.diff(seen, axis=0)).max() < 40


def test_the_face_is_there_leaves_once_and_comes_back() -> None:
    detector = open_detector(DetectorSettings(min_face_px=80))

    with Demo() as source:
        seen = [bool(detector.detect(frame.pixels)) for frame in source.frames() if frame.index % 10 == 0]
    # Two of three in a row: one answer alone is a slip of the detector, at the border of the picture.
    followed = [sum(three) >= 2 for three in zip(seen, seen[1:], seen[2:], strict=False)]
    changes = [value for value, _ in itertools.groupby(followed)]

    assert changes == [True, False, True]


def test_without_scikit_image_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "skimage", None)  # how Python marks a module that cannot be imported

    with pytest.raises(SourceError, match=r"skimage is not installed.*pip install 'emotion-edge\[demo\]'"):
        Demo()
