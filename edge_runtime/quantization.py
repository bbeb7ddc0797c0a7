"""int8 <-> real conversion, the only place in the repository that does it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge_runtime.contract import INPUT_SCALE, INPUT_ZERO_POINT
from edge_runtime.errors import ContractError

_INT8_MIN, _INT8_MAX = -128, 127


@dataclass(frozen=True, slots=True)
class Quantization:
    """Affine map of one int8 tensor: real = scale * (stored - zero_point).

    Source: TensorFlow Lite 8-bit quantization specification.
    """

    scale: float
    """Real value of one stored step; > 0."""

    zero_point: int
    """Stored value that means real 0.0; -128..127."""

    def __post_init__(self) -> None:
        """Refuse parameters that no int8 tensor has."""
        if not (math.isfinite(self.scale) and self.scale > 0.0):
            raise ContractError(f"quantization scale: expected a finite number > 0, found {self.scale}")
        if not _INT8_MIN <= self.zero_point <= _INT8_MAX:
            raise ContractError(f"quantization zero point: expected -128..127, found {self.zero_point}")

    def quantize(self, real: NDArray[np.float32]) -> NDArray[np.int8]:
        """Round to the nearest stored value and saturate at the int8 range."""
        stored = np.rint(real / np.float32(self.scale)) + self.zero_point
        return np.asarray(np.clip(stored, _INT8_MIN, _INT8_MAX), dtype=np.int8)

    def dequantize(self, stored: NDArray[np.int8]) -> NDArray[np.float32]:
        """Inverse of quantize, exact to within scale / 2 inside the range."""
        # Widen first: int8 arithmetic wraps (127 - -128 is -1 in int8).
        return (stored.astype(np.float32) - np.float32(self.zero_point)) * np.float32(self.scale)

    @property
    def is_pixel_input(self) -> bool:
        """Whether a grey pixel is stored as `pixel - 128`, as every net's input must."""
        return self.zero_point == INPUT_ZERO_POINT and math.isclose(self.scale, INPUT_SCALE, rel_tol=1e-5)


def quantize_pixels(pixels: NDArray[np.uint8]) -> NDArray[np.int8]:
    """Store a grey picture as net input: real pixel / 255 at scale 1/255 and zero point -128 is pixel - 128.

    Args:
        pixels: (h, w) uint8.

    Returns:
        (1, h, w, 1) int8, a new array.
    """
    # Flipping the top bit of a byte is the same as subtracting 128 in two's complement.
    return (pixels ^ np.uint8(0x80)).view(np.int8)[np.newaxis, :, :, np.newaxis]
