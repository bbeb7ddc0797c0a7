"""Geometry of augmentation: points stay on what they mark."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from converter.augment import light, mirror, mirror_points, move, random_affine, warp
from converter.recipe import Augment
from edge_runtime.contract import INPUT_SIZE_PX, KEYPOINT_COUNT, KEYPOINT_NAMES

STILL = Augment(
    rotation_deg=0, scale=0, shift_px=0, brightness=0, contrast=0, gamma=0, blur=0, noise=0, erase=0
)  # fmt: skip


def dotted(x: int, y: int, side: int = 160) -> NDArray[np.uint8]:
    """Draw one bright square of 5 x 5 pixels around a point."""
    picture = np.zeros((side, side), np.uint8)
    picture[y - 2 : y + 3, x - 2 : x + 3] = 255
    return picture


def center_of_light(picture: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Mean position of the light, x and y."""
    y, x = np.mgrid[0 : picture.shape[0], 0 : picture.shape[1]]
    return np.asarray([(x * picture).sum() / picture.sum(), (y * picture).sum() / picture.sum()])


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 10_000), x=st.integers(60, 100), y=st.integers(60, 100))
def test_a_moved_point_stays_on_its_pixel(seed: int, x: int, y: int) -> None:
    affine = random_affine(Augment(), np.random.default_rng(seed), source_px=160, span_px=INPUT_SIZE_PX)

    moved = move(np.array([[x, y]], np.float32), affine)[0]

    np.testing.assert_allclose(center_of_light(warp(dotted(x, y), affine)), moved, atol=0.1)


def test_without_ranges_the_middle_is_cut_as_it_is() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (160, 160), dtype=np.uint8)

    affine = random_affine(STILL, np.random.default_rng(0), source_px=160, span_px=INPUT_SIZE_PX)

    np.testing.assert_array_equal(warp(picture, affine), picture[32:128, 32:128])


def test_a_small_picture_fills_the_input() -> None:
    affine = random_affine(STILL, np.random.default_rng(0), source_px=48, span_px=48)

    corner = move(np.array([[-0.5, -0.5], [47.5, 47.5]], np.float32), affine)

    np.testing.assert_allclose(corner, [[-0.5, -0.5], [95.5, 95.5]], atol=1e-4)


def test_a_mirror_swaps_the_names_that_have_a_side() -> None:
    points = np.stack([np.arange(KEYPOINT_COUNT), np.arange(KEYPOINT_COUNT)], axis=1).astype(np.float32)

    mirrored = mirror_points(points)

    for row, name in enumerate(KEYPOINT_NAMES):
        other = name.replace("left", "LEFT").replace("right", "left").replace("LEFT", "right")
        source = KEYPOINT_NAMES.index(other)
        assert mirrored[row].tolist() == [INPUT_SIZE_PX - 1 - source, source]


def test_a_mirrored_point_stays_on_its_pixel() -> None:
    points = np.full((KEYPOINT_COUNT, 2), np.nan, np.float32)
    points[10] = 30, 50

    mirrored = mirror_points(points)

    np.testing.assert_allclose(center_of_light(mirror(dotted(30, 50, INPUT_SIZE_PX))), mirrored[10])


def test_two_mirrors_are_none() -> None:
    points = np.random.default_rng(0).uniform(0, 95, (KEYPOINT_COUNT, 2)).astype(np.float32)

    np.testing.assert_allclose(mirror_points(mirror_points(points)), points, atol=1e-4)


def test_light_changes_nothing_when_all_ranges_are_zero() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (96, 96), dtype=np.uint8)

    np.testing.assert_array_equal(light(picture, STILL, np.random.default_rng(0)), picture)


@pytest.mark.parametrize("field", ["brightness", "contrast", "gamma", "blur", "noise", "erase"])
def test_every_range_of_light_does_something(field: str) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (96, 96), dtype=np.uint8)
    augment = msgspec.structs.replace(STILL, **{field: 1.0 if field != "noise" else 20.0})

    changed = light(picture, augment, np.random.default_rng(1))

    assert (changed != picture).any()
