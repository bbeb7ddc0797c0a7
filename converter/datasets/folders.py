"""Reader of picture folders: one folder per class, named like the class, perhaps below train and test."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from converter.datasets.types import CLASS_NAMES, PUBLIC_TEST, TRAINING, USAGE_NAMES, EmotionData
from converter.errors import DataError

USAGE_OF_FOLDER: Final = {
    **{name.lower(): index for index, name in enumerate(USAGE_NAMES)},
    "train": TRAINING,
    "test": PUBLIC_TEST,
}
SUFFIXES: Final = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".pgm")


def read_folder(root: Path) -> EmotionData:
    """Read labelled faces; folders that hold none of the class names and none of the usages are errors.

    All pictures must have one size; colour becomes grey.
    """
    images: list[NDArray[np.uint8]] = []
    labels: list[int] = []
    usages: list[int] = []
    for usage, parent in _parts(root):
        for folder in _subfolders(parent):
            label = _label(folder)
            for file in sorted(filter(is_picture, folder.iterdir())):
                images.append(_picture(file, images[0].shape if images else None))
                labels.append(label)
                usages.append(usage)
    if not images:
        raise DataError(f"{root}: expected class folders with pictures ({', '.join(SUFFIXES)}), found none")
    return EmotionData(np.stack(images), np.array(labels, np.int64), np.array(usages, np.int64))


def is_picture(file: Path) -> bool:
    """Whether a file is read, by its name: hidden files, as some systems leave beside pictures, are not."""
    return file.suffix.lower() in SUFFIXES and not file.name.startswith(".")


def _parts(root: Path) -> list[tuple[int, Path]]:
    """List (usage, folder that holds class folders)."""
    folders = _subfolders(root)
    named = [folder for folder in folders if folder.name.lower() in USAGE_OF_FOLDER]
    strange = [folder for folder in folders if folder.name.lower() not in (*USAGE_OF_FOLDER, *CLASS_NAMES)]
    if named and strange:
        names = ", ".join(USAGE_OF_FOLDER)
        raise DataError(
            f"{strange[0]}: expected folders named {names} beside {named[0].name}; rename it or move it away"
        )
    if named and len(named) == len(folders):
        return [(USAGE_OF_FOLDER[folder.name.lower()], folder) for folder in named]
    return [(TRAINING, root)]


def _subfolders(folder: Path) -> list[Path]:
    return sorted(entry for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith("."))


def _label(folder: Path) -> int:
    name = folder.name.lower()
    if name not in CLASS_NAMES:
        raise DataError(f"{folder}: expected folders named {', '.join(CLASS_NAMES)}, found {folder.name}")
    return CLASS_NAMES.index(name)


def _picture(file: Path, shape: tuple[int, ...] | None) -> NDArray[np.uint8]:
    picture = cv2.imdecode(np.frombuffer(file.read_bytes() or b"\0", np.uint8), cv2.IMREAD_GRAYSCALE)
    if picture is None:
        raise DataError(f"{file}: not a readable picture")
    found = np.asarray(picture, np.uint8)
    if found.shape[0] != found.shape[1] or (shape is not None and found.shape != shape):
        wanted = "a square picture" if shape is None else f"{shape} pixels as in the first picture"
        raise DataError(f"{file}: expected {wanted}, found {found.shape}")
    return found
