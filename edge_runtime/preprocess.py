"""Grey pictures into net inputs, the same for training, evaluation and the device."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.contract import INPUT_SIZE_PX


def enlarge(crop: NDArray[np.uint8], size_px: int = INPUT_SIZE_PX) -> NDArray[np.uint8]:
    """Bring a square grey crop to the net's input size.

    Args:
        crop: (side, side) uint8.
        size_px: side of the result.

    Returns:
        (size_px, size_px) uint8; the crop itself when it already has that size.
    """
    if crop.shape == (size_px, size_px):
        return crop
    # INTER_AREA enlarged by a whole factor only doubles pixels; it is right for shrinking alone.
    interpolation = cv2.INTER_LINEAR if crop.shape[0] < size_px else cv2.INTER_AREA
    return np.asarray(cv2.resize(crop, (size_px, size_px), interpolation=interpolation), dtype=np.uint8)
