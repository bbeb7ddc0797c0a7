"""What is drawn lies where the face is, and inside the picture."""

from __future__ import annotations

import numpy as np
import pytest

from edge_runtime.contract import EMOTION_LABELS
from edge_runtime.datatypes import Observation
from edge_runtime.overlay import COLORS, Picture, annotated
from tests.faces import emotion, face, points_at, seen

GREY = np.full((480, 640), 128, np.uint8)


def near(picture: Picture, x: float, y: float) -> list[tuple[int, ...]]:
    """Colours of the pixels around a place."""
    column, row = round(x), round(y)
    around = picture[row - 1 : row + 2, column - 1 : column + 2].reshape(-1, 3)
    return [tuple(int(value) for value in pixel) for pixel in around]


def test_there_is_a_color_for_every_answer() -> None:
    assert set(COLORS) == {*EMOTION_LABELS, "uncertain"}
    assert len(set(COLORS.values())) == len(COLORS)


def test_an_empty_frame_stays_grey_but_for_its_time() -> None:
    before = GREY.copy()

    picture = annotated(GREY, seen(1.5))

    assert picture.shape == (480, 640, 3)
    assert (picture[:440] == 128).all()
    assert (picture[440:] != 128).any()
    np.testing.assert_array_equal(GREY, before)


@pytest.mark.parametrize("factor", [1, 2])
def test_every_point_is_drawn_in_the_color_of_the_answer(factor: int) -> None:
    picture = annotated(GREY, seen(0.0, face(1, emotion("sad"), at=(100.0, 150.0))), factor)

    assert picture.shape == (480 * factor, 640 * factor, 3)
    for x, y in (points_at(100.0, 150.0) + 0.5) * factor - 0.5:
        assert COLORS["sad"] in near(picture, float(x), float(y))


@pytest.mark.parametrize("factor", [1, 4])
def test_the_box_is_drawn_along_its_edges(factor: int) -> None:
    shown = face(1, emotion("sad"), at=(100.0, 150.0))
    box = shown.box.scaled(factor)

    picture = annotated(GREY, seen(0.0, shown), factor)

    is_line = (picture == COLORS["sad"]).all(axis=-1)
    left = np.flatnonzero(is_line[round(box.y0) + 5 * factor, : round(box.x0) + 8])
    bottom = np.flatnonzero(is_line[round(box.y1) - 8 :, round(box.x0) + 5 * factor]) + round(box.y1) - 8
    # An edge at 0 lies half a pixel before the first pixel's centre.
    assert left.mean() == pytest.approx(box.x0 - 0.5, abs=1.0)
    assert bottom.mean() == pytest.approx(box.y1 - 0.5, abs=1.0)


def test_a_face_without_an_answer_is_drawn_grey() -> None:
    shown = face(1, emotion("happy", 0.1, "low_confidence"), at=(100.0, 150.0))

    picture = annotated(GREY, seen(0.0, shown))

    x, y = points_at(100.0, 150.0)[0]
    assert COLORS["uncertain"] in near(picture, float(x), float(y))


@pytest.mark.parametrize("at", [(-40.0, -40.0), (600.0, -40.0), (-40.0, 440.0), (600.0, 440.0), (270.0, 190.0)])
def test_faces_at_every_border_can_be_drawn(at: tuple[float, float]) -> None:
    picture = annotated(GREY, seen(0.0, face(1, at=at), face(2, at=(at[0] + 5, at[1]))))

    assert picture.shape == (480, 640, 3)
    assert (picture != 128).any()


def test_a_picture_smaller_than_its_words_can_be_drawn() -> None:
    tiny = np.full((60, 60), 128, np.uint8)

    picture = annotated(tiny, Observation(0, 0.0, 60, 60, (face(1, at=(-10.0, -10.0)),)))

    assert picture.shape == (60, 60, 3)
