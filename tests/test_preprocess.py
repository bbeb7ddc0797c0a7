"""How a crop becomes as large as a net's input."""

from __future__ import annotations

import numpy as np
import pytest

from edge_runtime.preprocess import enlarge, fit_factor, fit_into, shrunk


def test_a_picture_shrinks_by_averages_of_halves() -> None:
    quarters = np.zeros((8, 12), np.uint8)
    quarters[:4, :4] = 200
    quarters[0, 0] = 40  # one of sixteen pixels, 160 lower: the average is 10 lower

    found = shrunk(quarters, (3, 2))

    assert found.tolist() == [[190, 0, 0], [0, 0, 0]]


@pytest.mark.parametrize("size", [(320, 240), (300, 225), (160, 120), (640, 480), (7, 5)])
def test_a_shrunk_ramp_keeps_its_place_and_its_brightness(size: tuple[int, int]) -> None:
    ramp = np.tile(np.linspace(0, 255, 640).round().astype(np.uint8), (480, 1))

    found = shrunk(ramp, size)

    # The middle of column x of the result shows what lies at the same share of the width.
    expected = 255 * ((np.arange(size[0]) + 0.5) / size[0] * 640 - 0.5) / 639
    assert found.shape == (size[1], size[0])
    assert np.abs(found - expected).max() <= 2 * 255 / 640 * max(640 / size[0], 1) / 2 + 1


def test_a_crop_of_the_right_size_is_passed_on_as_it_is() -> None:
    crop = np.zeros((96, 96), np.uint8)

    assert enlarge(crop) is crop


def test_a_small_crop_is_interpolated_between_pixel_centres() -> None:
    # Twice as large: new centres lie at -1/4, 1/4, 3/4 and 5/4 of the old ones; the border is repeated outside.
    crop = np.array([[0, 100], [0, 100]], np.uint8)

    found = enlarge(crop, 4)

    assert found.dtype == np.uint8
    assert found.tolist() == [[0, 25, 75, 100]] * 4


def test_a_large_crop_is_averaged() -> None:
    crop = np.array([[0, 100, 8, 8], [100, 200, 8, 8], [1, 1, 255, 255], [1, 1, 255, 255]], np.uint8)

    assert enlarge(crop, 2).tolist() == [[100, 8], [1, 255]]


@pytest.mark.parametrize("side", [1, 47, 48, 95, 97, 300])
@pytest.mark.parametrize("level", [0, 1, 128, 255])
def test_a_flat_crop_stays_flat_at_every_size(side: int, level: int) -> None:
    found = enlarge(np.full((side, side), level, np.uint8))

    assert found.shape == (96, 96)
    assert np.unique(found).tolist() == [level]


def test_a_frame_is_shrunk_into_the_upper_left_corner() -> None:
    fitted, factor = fit_into(np.full((480, 640), 200, np.uint8), (256, 320))

    assert factor == 2.0
    assert fitted.shape == (256, 320)
    assert (fitted[:240] == 200).all()
    assert (fitted[240:] == 0).all()


def test_a_frame_that_fits_is_not_enlarged() -> None:
    fitted, factor = fit_into(np.full((10, 20), 7, np.uint8), (32, 32))

    assert factor == fit_factor((10, 20), (32, 32)) == 1.0
    assert int((fitted == 7).sum()) == 10 * 20


def test_the_longer_side_decides_and_nothing_vanishes() -> None:
    fitted, factor = fit_into(np.full((3, 2000), 9, np.uint8), (256, 320))

    assert factor == 2000 / 320
    assert (fitted[0] == 9).all()
    assert fitted[1:].max() == 0
