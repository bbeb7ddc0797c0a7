"""Reader of the npz form: images, or webp/jpeg bytes with offsets, beside label7, label5 or points."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.lib.npyio import NpzFile
from numpy.typing import NDArray

from converter.datasets.label_orders import FER_CLASSES, to_class_index
from converter.datasets.types import CLASS_NAMES, TRAINING, USAGE_NAMES, EmotionData, KeypointData
from converter.errors import DataError
from edge_runtime.contract import EMOTION_LABELS, INPUT_SIZE_PX

VOTE_CLASSES: Final = ("neutral", "happy", "surprise", "sad", "angry", "disgust", "fear")
"""The first seven FER+ columns; contempt, unknown and not-a-face follow and say nothing about our classes."""

NOT_A_FACE_COLUMN: Final = 9
UNKNOWN_BYTE: Final = 255
ENCODED_KEYS: Final = (
    ("webp", "webp_offsets"),
    ("wide_jpeg", "wide_offsets"),
    ("jpeg", "offsets"),
    ("jpeg", "jpeg_offsets"),
)

Arrays = dict[str, NDArray[np.generic]]


def read_arrays(path: Path) -> Arrays:
    """Read every array of an npz file once; pickled objects are refused."""
    with _opened(path) as archive:
        return {key: archive[key] for key in archive.files}


def read_keys(path: Path) -> list[str]:
    """Name the arrays of an npz file without reading them."""
    with _opened(path) as archive:
        return list(archive.files)


@contextmanager
def _opened(path: Path) -> Iterator[NpzFile]:
    try:
        with path.open("rb") as stream, NpzFile(stream, allow_pickle=False) as archive:
            yield archive
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such file; give --data the path of an .npz, .csv or a folder") from error
    except (ValueError, OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError(f"{path}: not a readable npz file ({error})") from error


def decode_images(arrays: Arrays, path: Path) -> NDArray[np.uint8]:
    """Return (N, h, w) uint8 from `images` or from encoded bytes with offsets."""
    if "images" in arrays:
        images = arrays["images"]
        if images.dtype != np.uint8 or images.ndim != 3:
            raise DataError(f"{path}: key images: expected (N, h, w) uint8, found {images.shape} {images.dtype}")
        if not len(images):
            raise DataError(f"{path}: holds no picture")
        return images.astype(np.uint8, copy=False)
    for bytes_key, offsets_key in ENCODED_KEYS:
        if bytes_key in arrays and offsets_key in arrays:
            return _decode(arrays[bytes_key], arrays[offsets_key], path)
    raise DataError(f"{path}: expected key images, or webp/jpeg bytes with offsets; found keys {sorted(arrays)}")


def _decode(data: NDArray[np.generic], offsets: NDArray[np.generic], path: Path) -> NDArray[np.uint8]:
    stream, marks = data.astype(np.uint8, copy=False), offsets.astype(np.int64)
    pictures: list[NDArray[np.uint8]] = []
    for row in range(len(marks) - 1):
        picture = cv2.imdecode(stream[marks[row] : marks[row + 1]], cv2.IMREAD_GRAYSCALE)
        if picture is None:
            raise DataError(f"{path}: row {row}: {marks[row + 1] - marks[row]} bytes that are no picture")
        if pictures and picture.shape != pictures[0].shape:
            raise DataError(f"{path}: row {row}: expected {pictures[0].shape} pixels, found {picture.shape}")
        pictures.append(np.asarray(picture, np.uint8))
    if not pictures:
        raise DataError(f"{path}: holds no picture")
    return np.stack(pictures).astype(np.uint8, copy=False)


def read_emotion_npz(path: Path) -> EmotionData:
    """Read faces with label7 (FER2013's order), label5 (our order), or both absent keys as an error.

    Rows of label5 that are -1 (not one of the five) are left out; label7 wins when both are there.
    """
    arrays = read_arrays(path)
    images = _square(decode_images(arrays, path), 1, path)
    if "label7" in arrays:
        labels = to_class_index(_checked(arrays["label7"], range(len(FER_CLASSES)), "label7", path), "fer7")
    elif "label5" in arrays:
        labels = _five(arrays["label5"], path)
    else:
        raise DataError(f"{path}: expected key label7 or label5, found {sorted(arrays)}")
    usage = np.full(len(images), TRAINING)
    if "usage" in arrays:
        usage = _checked(arrays["usage"], range(len(USAGE_NAMES)), "usage", path)
    votes = _vote_shares(arrays["ferplus_votes"], path) if "ferplus_votes" in arrays else None
    if not np.any(labels >= 0):
        raise DataError(f"{path}: key label5: expected faces of {list(EMOTION_LABELS)} (0..4), found -1 alone")
    return EmotionData(images, labels, usage, votes).take(labels >= 0)


def _square(images: NDArray[np.uint8], least_px: int, path: Path) -> NDArray[np.uint8]:
    height, width = images.shape[1:]
    if height != width or height < least_px:
        wanted = "square pictures" if least_px == 1 else f"square pictures of {least_px} x {least_px} or more"
        raise DataError(f"{path}: expected {wanted}, found {height} x {width}; cut them so before training")
    return images


def _five(raw: NDArray[np.generic], path: Path) -> NDArray[np.int64]:
    """Read this project's numbers; -1, which is 255 in a file of bytes, stands for none of the five."""
    labels = _numbers(raw, "label5", path)
    labels[labels == UNKNOWN_BYTE] = -1
    return _checked(labels, range(-1, len(EMOTION_LABELS)), "label5", path)


def _numbers(raw: NDArray[np.generic], key: str, path: Path) -> NDArray[np.int64]:
    if raw.ndim != 1 or raw.dtype.kind not in "iuf":
        raise DataError(f"{path}: key {key}: expected one whole number per picture, found {raw.shape} {raw.dtype}")
    return raw.astype(np.int64)


def _checked(raw: NDArray[np.generic], allowed: range, key: str, path: Path) -> NDArray[np.int64]:
    numbers = _numbers(raw, key, path)
    wrong = np.flatnonzero((numbers < allowed.start) | (numbers >= allowed.stop))
    if len(wrong):
        row = wrong[0]
        raise DataError(
            f"{path}: key {key}, row {row}: expected {allowed.start}..{allowed.stop - 1}, found {numbers[row]}"
        )
    return numbers


def _vote_shares(raw: NDArray[np.generic], path: Path) -> NDArray[np.float32]:
    """Turn (N, 10) FER+ counts into (N, 7) shares; NaN where half or more say it is no face, or nobody voted."""
    if raw.ndim != 2 or raw.shape[1] != NOT_A_FACE_COLUMN + 1:
        raise DataError(f"{path}: key ferplus_votes: expected (N, {NOT_A_FACE_COLUMN + 1}) counts, found {raw.shape}")
    counts = raw.astype(np.float32)
    order = [VOTE_CLASSES.index(name) for name in CLASS_NAMES]
    useful = counts[:, order]
    total = useful.sum(axis=1, keepdims=True)
    unknown = (counts[:, 0] == UNKNOWN_BYTE) | (counts[:, NOT_A_FACE_COLUMN] >= 5) | (total[:, 0] == 0)
    shares: NDArray[np.float32] = (useful / np.maximum(total, 1)).astype(np.float32)
    shares[unknown] = np.nan
    return shares


def read_keypoint_npz(path: Path) -> KeypointData:
    """Read faces with points; person and source default to one group per face and the file's name."""
    arrays = read_arrays(path)
    if "points" not in arrays:
        raise DataError(f"{path}: expected key points of shape (N, 15, 2), found keys {sorted(arrays)}")
    images = _square(decode_images(arrays, path), INPUT_SIZE_PX, path)
    rows = np.arange(len(images)).astype(str)
    person = arrays["person"].astype(str) if "person" in arrays else np.char.add(f"{path.stem}-", rows)
    source = arrays["source"].astype(str) if "source" in arrays else np.full(len(images), path.stem)
    return KeypointData(images, arrays["points"].astype(np.float32), person, source)
