"""The self-test of a bundle: synthetic pictures and what the int8 net answers with the reference kernels."""

from __future__ import annotations

import io
import zipfile

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.contract import INPUT_SIZE_PX
from edge_runtime.interpreter import open_interpreter
from edge_runtime.preprocess import fit_into
from edge_runtime.quantization import quantize_pixels

_COUNT = 8
_COUNT_OF_LARGE = 4
"""Of pictures larger than a face crop: noise does not compress."""

_SEED = 20260101
_EPOCH = (1980, 1, 1, 0, 0, 0)


def golden_npz(model: bytes) -> bytes:
    """Make the npz: `inputs` (N, h, w) uint8 and `output_0`... int8, the same bytes for the same model."""
    interpreter = open_interpreter(model, reference_kernels=True)
    shape = (interpreter.input_shape[1], interpreter.input_shape[2])
    count = _COUNT if shape == (INPUT_SIZE_PX, INPUT_SIZE_PX) else _COUNT_OF_LARGE
    drawn = synthetic_faces(np.random.default_rng(_SEED), count)
    inputs = np.stack([fit_into(picture, shape)[0] for picture in drawn])
    answers = [interpreter.invoke(quantize_pixels(picture)) for picture in inputs]
    arrays: dict[str, NDArray[np.generic]] = {"inputs": inputs}
    for index, outputs in enumerate(zip(*answers, strict=True)):
        arrays[f"output_{index}"] = np.concatenate(outputs)
    return _npz(arrays)


def synthetic_faces(rng: np.random.Generator, count: int = _COUNT) -> NDArray[np.uint8]:
    """Draw (count, 96, 96) blurred ovals with eyes and a mouth, and noise: nobody's face."""
    return np.stack([_drawn(rng) for _ in range(count)])


def _drawn(rng: np.random.Generator) -> NDArray[np.uint8]:
    side = INPUT_SIZE_PX
    picture = np.full((side, side), int(rng.integers(30, 120)), np.uint8)
    skin, dark, lips = (int(rng.integers(150, 230)),), (40,), (60,)
    x, y = (int(value) for value in rng.integers(side * 2 // 5, side * 3 // 5, 2))
    width, height = side // 3, side * 2 // 5
    cv2.ellipse(picture, (x, y), (width, height), 0, 0, 360, skin, -1)
    for offset in (-width // 2, width // 2):
        cv2.circle(picture, (x + offset, y - height // 4), side // 16, dark, -1)
    opening = int(rng.integers(2, side // 8))
    cv2.ellipse(picture, (x, y + height // 2), (width // 2, opening), 0, 0, 360, lips, -1)
    soft = cv2.GaussianBlur(picture, (0, 0), 1.5).astype(np.float64)
    noisy = soft + rng.normal(0, 6, soft.shape)
    return np.asarray(np.clip(noisy, 0, 255)).astype(np.uint8)


def _npz(arrays: dict[str, NDArray[np.generic]]) -> bytes:
    """Write an npz without the times of writing."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in arrays.items():
            content = io.BytesIO()
            np.lib.format.write_array(content, array, allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", _EPOCH), content.getvalue(), zipfile.ZIP_DEFLATED)
    return target.getvalue()
