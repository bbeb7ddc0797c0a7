"""Reads what a faces net is trained on: pictures with boxes, and faces to lay into them, told apart by their keys."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from converter.datasets.npz import read_keys
from converter.errors import DataError
from converter.faces.cutouts import read_labelled_faces, read_point_faces
from converter.faces.data import KEYS, DetectionData, joined, read_detection


def read_training_scenes(files: Sequence[Path]) -> DetectionData:
    """Read .npz files one after the other.

    Raises:
        DataError: a file has neither pictures with boxes, nor labelled faces, nor faces with points.
    """
    return joined([_read(path.resolve(), path.stat().st_mtime_ns if path.exists() else 0) for path in files])


def split_rows(training: Sequence[Path], validation: Sequence[Path]) -> dict[str, list[int]]:
    """Rows of both parts when whole files are held out and read after the training files."""
    counts = [len(read_training_scenes(training)), len(read_detection(validation))]
    return {
        "training_rows": list(range(counts[0])),
        "validation_rows": list(range(counts[0], counts[0] + counts[1])),
    }


@cache  # a training asks twice: how many scenes a file has, and for the scenes; cutting out costs a minute
def _read(path: Path, _changed_ns: int) -> DetectionData:
    keys = read_keys(path)
    if "boxes" in keys:
        return read_detection([path])
    if "points" in keys:
        return read_point_faces(path)
    if "label7" in keys or "label5" in keys:
        return read_labelled_faces(path)
    raise DataError(
        f"{path}: expected pictures with face boxes (keys {', '.join(KEYS)}), faces with points, or labelled faces; "
        f"found {', '.join(keys)}"
    )
