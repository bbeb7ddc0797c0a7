"""Judge a bundle's int8 net on a data file, through the code that runs on the device."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np

from converter.answers import int8_logits, int8_points
from converter.augment import mirror_points
from converter.datasets.copies import has_near_copy
from converter.datasets.label_orders import LabelOrder
from converter.datasets.read import read_emotion, read_keypoints
from converter.datasets.types import PUBLIC_TEST, TRAINING, EmotionData
from converter.errors import DataError
from converter.faces.scenes import card_figures
from converter.figures import Figures, emotion_figures, keypoint_figures
from converter.metrics import side_shift_px
from edge_runtime.bundle import Bundle

Part = Literal["public", "training", "all"]

NEAR_COPY_CORRELATION = 0.95
_USAGE_OF_PART: dict[Part, int] = {"public": PUBLIC_TEST, "training": TRAINING}


def evaluate_bundle(
    bundle: Bundle,
    data: Path,
    *,
    part: Part | None = None,
    order: LabelOrder | None = None,
    threads: int = 1,
) -> Figures:
    """Return the figures of a bundle on a file.

    Args:
        bundle: emotion or keypoints.
        data: .npz, .csv or folder.
        part: rows to take; None = PublicTest where the file has such rows, else all.
        order: numbering of emotions in a CSV file that does not prove it.
        threads: of the interpreter.

    Raises:
        DataError: the file does not fit the bundle's kind, or the part is empty.
    """
    if bundle.manifest.kind == "emotion":
        return _evaluate_emotion(bundle, data, part, order, threads)
    if bundle.manifest.kind == "keypoints":
        return _evaluate_keypoints(bundle, data, threads)
    if bundle.manifest.kind == "faces":
        return card_figures(bundle, data)
    raise DataError(f"{bundle.path}: bundles of kind {bundle.manifest.kind} are not judged here")


def _evaluate_keypoints(bundle: Bundle, path: Path, threads: int) -> Figures:
    data = read_keypoints([path])
    found = int8_points(bundle, data.crops, threads=threads)
    seen = int8_points(bundle, np.ascontiguousarray(data.crops[:, :, ::-1]), threads=threads)
    mirrored = np.stack([mirror_points(points) for points in seen])
    shift = {
        str(name): side_shift_px(*(each[data.source == name] for each in (found, mirrored, data.points)))
        for name in np.unique(data.source)
    }
    return {"part": "all", **keypoint_figures(found, data.points, data.source), "side_shift_px": shift}


def _evaluate_emotion(bundle: Bundle, path: Path, part: Part | None, order: LabelOrder | None, threads: int) -> Figures:
    data = read_emotion([path], order)
    chosen = part or default_part(data)
    faces = rows_of(data, chosen)
    if not len(faces):
        raise DataError(f"{path}: part {chosen} is empty; choose another --part")
    logits = int8_logits(bundle, faces.images, threads=threads)
    figures: Figures = {"part": chosen, **emotion_figures(logits, faces.labels, bundle.manifest.policy)}
    training = rows_of(data, "training")
    if chosen == "public" and len(training):
        fresh = ~has_near_copy(faces.images, training.images, correlation=NEAR_COPY_CORRELATION)
        if fresh.any():
            figures["without_near_copies"] = emotion_figures(logits[fresh], faces.labels[fresh], bundle.manifest.policy)
    return figures


def default_part(data: EmotionData) -> Part:
    """Take PublicTest where a file has it."""
    return "public" if np.any(data.usage == PUBLIC_TEST) else "all"


def rows_of(data: EmotionData, part: Part) -> EmotionData:
    """Cut a part out of a file."""
    return data if part == "all" else data.take(data.usage == _USAGE_OF_PART[part])
