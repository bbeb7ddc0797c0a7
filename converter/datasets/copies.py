"""Find pictures that are copies of each other, so that no copy stands on both sides of a split."""

from __future__ import annotations

import hashlib

import cv2
import numpy as np
from numpy.typing import NDArray

_PREFILTER_SIZE_PX = 24
_PREFILTER_SLACK = 0.03
_BLOCK = 2048


class Groups:
    """Disjoint sets of rows (union by smallest root)."""

    def __init__(self, count: int) -> None:
        """Start with every row alone."""
        self._parent = np.arange(count)

    def root(self, row: int) -> int:
        """Follow a row to the smallest row of its group."""
        parent = self._parent
        while parent[row] != row:
            parent[row] = parent[parent[row]]
            row = int(parent[row])
        return row

    def join(self, a: int, b: int) -> None:
        """Put two rows into one group."""
        low, high = sorted((self.root(a), self.root(b)))
        self._parent[high] = low

    def labels(self) -> NDArray[np.int64]:
        """(N,) the smallest row of each row's group."""
        return np.array([self.root(row) for row in range(len(self._parent))], dtype=np.int64)


def exact_copy_groups(images: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Group pixel-identical pictures, mirror images included.

    Args:
        images: (N, h, w).

    Returns:
        (N,) group of each picture, named by its first row.
    """
    first: dict[bytes, int] = {}
    groups = Groups(len(images))
    for row, image in enumerate(images):
        for picture in (image, image[:, ::-1]):
            digest = hashlib.sha256(np.ascontiguousarray(picture).tobytes()).digest()
            groups.join(row, first.setdefault(digest, row))
    return groups.labels()


def joined_by_copies(groups: NDArray[np.str_], images: NDArray[np.uint8]) -> NDArray[np.str_]:
    """Make one group of groups that share an exact copy, under the first of their names in sorted order.

    Args:
        groups: (N,) group of each picture.
        images: (N, h, w).
    """
    names, inverse = np.unique(groups, return_inverse=True)
    joined = Groups(len(names))
    for row, first in enumerate(exact_copy_groups(images)):
        joined.join(int(inverse[row]), int(inverse[first]))
    return names[joined.labels()[inverse]]


def near_copy_groups(images: NDArray[np.uint8], *, correlation: float) -> NDArray[np.int64]:
    """Group pictures whose pixels correlate by at least `correlation`, mirror images included.

    Candidates are found on shrunken pictures and proven on the full ones. Blank pictures form no groups but
    with their exact copies.
    """
    groups = Groups(len(images))
    for row, root in enumerate(exact_copy_groups(images)):
        groups.join(row, int(root))
    full = _standardized(images)
    small = _standardized(_shrunk(images))
    for mirror in (False, True):
        other_small = _mirrored(small, _PREFILTER_SIZE_PX) if mirror else small
        other_full = _mirrored(full, images.shape[2]) if mirror else full
        for a, b in _candidates(small, other_small, correlation - _PREFILTER_SLACK):
            if float(full[a] @ other_full[b]) >= correlation:
                groups.join(a, b)
    return groups.labels()


def _shrunk(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    size = (_PREFILTER_SIZE_PX, _PREFILTER_SIZE_PX)
    return np.stack([cv2.resize(image, size, interpolation=cv2.INTER_AREA) for image in images]).astype(np.uint8)


def _standardized(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(N, h * w) rows of mean 0 and norm 1; a blank picture becomes a row of zeros."""
    flat = images.reshape(len(images), -1).astype(np.float32)
    flat -= flat.mean(axis=1, keepdims=True)
    norm = np.linalg.norm(flat, axis=1, keepdims=True)
    return np.where(norm > 1e-3, flat / np.maximum(norm, 1e-3), 0.0).astype(np.float32)


def _mirrored(flat: NDArray[np.float32], width: int) -> NDArray[np.float32]:
    return flat.reshape(len(flat), -1, width)[:, :, ::-1].reshape(len(flat), -1)


def _candidates(rows: NDArray[np.float32], others: NDArray[np.float32], least: float) -> list[tuple[int, int]]:
    pairs: list[tuple[int, int]] = []
    for start in range(0, len(rows), _BLOCK):
        products = rows[start : start + _BLOCK] @ others[start:].T  # (block, N - start)
        for a, b in np.argwhere(products >= least):
            if a < b:
                pairs.append((int(start + a), int(start + b)))
    return pairs


def has_near_copy(images: NDArray[np.uint8], others: NDArray[np.uint8], *, correlation: float) -> NDArray[np.bool_]:
    """(N,) whether a picture correlates by at least `correlation` with any of the others, mirror images included."""
    found = np.zeros(len(images), bool)
    if not len(others):
        return found
    full, small = _standardized(images), _standardized(_shrunk(images))
    for pictures in (others, others[:, :, ::-1]):
        other_full, other_small = _standardized(pictures), _standardized(_shrunk(pictures))
        for start in range(0, len(images), _BLOCK):
            products = small[start : start + _BLOCK] @ other_small.T  # (block, others)
            for a, b in np.argwhere(products >= correlation - _PREFILTER_SLACK):
                found[start + a] |= float(full[start + a] @ other_full[b]) >= correlation
    return found
