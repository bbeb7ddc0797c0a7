"""Soft labels: what a trained net says of the pictures it was trained on, kept in a file for the next training.

Source: G. Hinton, O. Vinyals, J. Dean, "Distilling the knowledge in a neural network", 2015; T. Furlanello and others,
"Born-again neural networks", ICML 2018 (teacher and student of one family). Pictures are named by a digest of their
pixels, so a file of soft labels fits any order of the data and cannot slip.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converter.datasets.npz import read_arrays
from converter.datasets.types import CLASS_NAMES
from converter.errors import DataError, RunError

_DIGEST_BYTES = 6
_STEPS = 255


@dataclass(frozen=True, eq=False)
class SoftLabels:
    """Shares of the classes for pictures named by their pixels."""

    digests: tuple[bytes, ...]
    shares: NDArray[np.float32]
    """(N, 7) in the order of CLASS_NAMES; rows sum to 1."""

    teacher: dict[str, Any]
    """Where they come from."""

    def of(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(N, h, w) pictures -> (N, 7) shares; NaN rows where a picture is not named here."""
        row_of = {digest: row for row, digest in enumerate(self.digests)}
        found = np.full((len(images), len(CLASS_NAMES)), np.nan, np.float32)
        for index, image in enumerate(images):
            row = row_of.get(picture_digest(image))
            if row is not None:
                found[index] = self.shares[row]
        return found

    def refuse_seen(self, validation: NDArray[np.uint8]) -> None:
        """Check that the teacher was not trained on what the student is chosen by.

        Raises:
            RunError: it was.
        """
        seen = int(np.isfinite(self.of(validation)[:, 0]).sum())
        if seen:
            raise RunError(
                f"soft labels: their teacher was trained on {seen} of {len(validation)} validation pictures; "
                "expected none: use the seed and the data of the teacher's run"
            )


def picture_digest(image: NDArray[np.uint8]) -> bytes:
    """Name a picture by its pixels."""
    return hashlib.sha256(np.ascontiguousarray(image).tobytes()).digest()[:_DIGEST_BYTES]


def write_soft_labels(path: Path, images: NDArray[np.uint8], shares: NDArray[np.float32], teacher: object) -> int:
    """Write one row per different picture, in the order of the digests; return how many.

    Args:
        path: .npz.
        images: (N, h, w).
        shares: (N, K) for the first K of CLASS_NAMES, rows sum to 1.
        teacher: what made them, any JSON.
    """
    row_of = {picture_digest(image): row for row, image in enumerate(images)}
    digests = sorted(row_of)
    steps = np.rint(shares[[row_of[digest] for digest in digests]] * _STEPS).astype(np.uint8)
    names = np.frombuffer(b"".join(digests), np.uint8).reshape(len(digests), _DIGEST_BYTES)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as stream:
        np.savez_compressed(stream, digest=names, shares=steps, teacher=np.str_(json.dumps(teacher, sort_keys=True)))
    return len(digests)


def read_soft_labels(path: Path) -> SoftLabels:
    """Read a file that `write_soft_labels` wrote.

    Raises:
        DataError: it is not of this form.
    """
    arrays = read_arrays(path)
    if not {"digest", "shares", "teacher"} <= set(arrays):
        raise DataError(f"{path}: expected soft labels (keys digest, shares, teacher), found {sorted(arrays)}")
    names, steps = np.asarray(arrays["digest"], np.uint8), np.asarray(arrays["shares"])
    if steps.ndim != 2 or steps.shape[0] != len(names) or not 1 <= steps.shape[1] <= len(CLASS_NAMES):
        raise DataError(f"{path}: expected one row of shares per digest, found {steps.shape} for {names.shape}")
    shares = np.zeros((len(steps), len(CLASS_NAMES)), np.float32)
    shares[:, : steps.shape[1]] = steps / np.maximum(steps.sum(axis=1, keepdims=True), 1)
    return SoftLabels(tuple(row.tobytes() for row in names), shares, json.loads(str(arrays["teacher"])))
