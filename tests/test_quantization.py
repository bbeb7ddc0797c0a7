"""int8 arithmetic against numbers computed by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.contract import INPUT_SCALE, INPUT_ZERO_POINT
from edge_runtime.errors import ContractError
from edge_runtime.quantization import Quantization, quantize_pixels

quantizations = st.builds(
    Quantization, scale=st.floats(1e-6, 1e3, allow_subnormal=False), zero_point=st.integers(-128, 127)
)


@pytest.mark.parametrize(
    ("real", "stored"),
    [(0.0, 10), (0.24, 10), (0.26, 11), (-0.26, 9), (1.0, 12), (58.5, 127), (1e6, 127), (-69.0, -128), (-1e6, -128)],
)
def test_a_real_value_goes_to_the_nearest_step_and_saturates(real: float, stored: int) -> None:
    quantization = Quantization(scale=0.5, zero_point=10)

    found = quantization.quantize(np.array([real], np.float32))

    assert found.dtype == np.int8
    assert found.tolist() == [stored]


@pytest.mark.parametrize(("real", "stored"), [(0.5, 0), (1.5, 2), (2.5, 2), (-0.5, 0), (-1.5, -2)])
def test_halves_go_to_the_even_step(real: float, stored: int) -> None:
    assert Quantization(scale=1.0, zero_point=0).quantize(np.array([real], np.float32)).tolist() == [stored]


@pytest.mark.parametrize(("stored", "real"), [(10, 0.0), (11, 0.5), (9, -0.5), (127, 58.5), (-128, -69.0)])
def test_a_stored_value_means_scale_times_its_distance_from_the_zero_point(stored: int, real: float) -> None:
    found = Quantization(scale=0.5, zero_point=10).dequantize(np.array([stored], np.int8))

    assert found.dtype == np.float32
    assert found.tolist() == [real]


def test_the_widest_distance_does_not_wrap() -> None:
    # In int8 itself 127 - -128 is -1.
    assert Quantization(scale=1.0, zero_point=-128).dequantize(np.array([127], np.int8)).tolist() == [255.0]


@given(quantizations)
def test_every_stored_value_survives_the_way_there_and_back(quantization: Quantization) -> None:
    stored = np.arange(-128, 128).astype(np.int8)

    assert np.array_equal(quantization.quantize(quantization.dequantize(stored)), stored)


@given(quantizations, st.floats(0, 1))
def test_a_real_value_in_range_comes_back_within_half_a_step(quantization: Quantization, share: float) -> None:
    lowest, highest = quantization.dequantize(np.array([-128, 127], np.int8)).astype(float)
    real = np.array([lowest + share * (highest - lowest)], np.float32)

    back = quantization.dequantize(quantization.quantize(real))

    # Half a step, and float32's own rounding of numbers up to 256 steps large.
    assert abs(float(back[0]) - float(real[0])) <= quantization.scale * (0.5 + 256 * 2**-22)


@pytest.mark.parametrize("scale", [0.0, -1.0, math.nan, math.inf])
def test_a_scale_that_no_tensor_has_is_refused(scale: float) -> None:
    with pytest.raises(ContractError, match="quantization scale: expected a finite number > 0, found"):
        Quantization(scale, 0)


@pytest.mark.parametrize("zero_point", [-129, 128])
def test_a_zero_point_outside_int8_is_refused(zero_point: int) -> None:
    with pytest.raises(ContractError, match=rf"zero point: expected -128\.\.127, found {zero_point}"):
        Quantization(1.0, zero_point)


@pytest.mark.parametrize(
    ("quantization", "is_pixel_input"),
    [
        (Quantization(INPUT_SCALE, INPUT_ZERO_POINT), True),
        (Quantization(float(np.float32(1 / 255)), -128), True),
        (Quantization(1 / 256, -128), False),
        (Quantization(1 / 255, 0), False),
    ],
)
def test_a_pixel_input_is_known_by_its_numbers(quantization: Quantization, *, is_pixel_input: bool) -> None:
    assert quantization.is_pixel_input is is_pixel_input


def test_every_grey_level_is_stored_as_itself_less_128() -> None:
    pixels = np.arange(256, dtype=np.uint8).reshape(16, 16)

    stored = quantize_pixels(pixels)

    assert stored.shape == (1, 16, 16, 1)
    assert stored.dtype == np.int8
    assert stored.reshape(256).tolist() == list(range(-128, 128))


def test_the_short_way_for_pixels_agrees_with_the_long_one() -> None:
    pixels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    long_way = Quantization(INPUT_SCALE, INPUT_ZERO_POINT).quantize(pixels.astype(np.float32) / np.float32(255))

    assert np.array_equal(quantize_pixels(pixels)[0, :, :, 0], long_way)


def test_storing_pixels_leaves_the_picture_alone() -> None:
    pixels = np.full((4, 4), 7, np.uint8)

    stored = quantize_pixels(pixels)
    stored[:] = 0

    assert pixels.tolist() == [[7] * 4] * 4
