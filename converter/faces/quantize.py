"""The int8 faces net at one input size; every size is made from the same weights."""

from __future__ import annotations

import hashlib

import keras
import numpy as np
from numpy.typing import NDArray

from converter.calibration_list import CalibrationList, CalibrationPicture
from converter.console import note, track
from converter.errors import RunError
from converter.faces.answers import FloatNet, int8_net, score_map
from converter.faces.data import Scene
from converter.faces.task import FacesTask
from converter.quantize import to_float_tflite, to_int8_tflite
from converter.run_folder import RunFolder
from edge_runtime.preprocess import fit_into

_CALIBRATION_STREAM, _JUDGING_STREAM = 3, 4
_JUDGES = 64
_BLACK, _WHITE = 0, 255
_INTERESTING = 0.05

Shape = tuple[int, int]
"""Height and width of the input."""


def fixed_net(run: RunFolder, task: FacesTask, shape: Shape) -> keras.Model:
    """Build the net of a run with its best weights, for one picture of one size at a time."""
    net = task.net()
    net.load_weights(run.weights_file)
    picture = keras.Input(batch_shape=(1, *shape, 1), name="picture")
    return keras.Model(picture, net(picture, training=False))


def quantized(
    run: RunFolder, task: FacesTask, shape: Shape, *, candidates: int
) -> tuple[bytes, bytes, CalibrationList]:
    """Make both nets; of several calibration lists the one whose scores are nearest to the float net's is kept.

    Returns:
        float32 .tflite, int8 .tflite, and the list.
    """
    net = fixed_net(run, task, shape)
    float_model = to_float_tflite(net)
    rng = np.random.default_rng([task.recipe.seed, _JUDGING_STREAM])
    judges = [task.training.scenes[row] for row in rng.permutation(_photographs(task))[:_JUDGES]]
    best: tuple[float, bytes, CalibrationList] | None = None
    for index in track(range(candidates), "quantizing"):
        listed, pictures = _drawn(run, task, shape, index)
        model = to_int8_tflite(net, pictures)
        distance = _score_distance(float_model, model, judges, shape)
        note("%d calibration pictures: mean difference of scores %.5f", len(listed.pictures), distance)
        if best is None or distance < best[0]:
            best = distance, model, listed
    if best is None:
        raise RunError(f"{run.path}: nothing to calibrate with")
    return float_model, best[1], best[2]


def _drawn(run: RunFolder, task: FacesTask, shape: Shape, index: int) -> tuple[CalibrationList, NDArray[np.uint8]]:
    """Draw pictures with faces of the training part; a copy of the first with a black and a white pixel comes last.

    What says no inside a net can be much larger where there is no face: ten times in one that was tried. It would take
    the steps that tell faces from what looks like one.
    """
    rng = np.random.default_rng([task.recipe.seed, _CALIBRATION_STREAM, index])
    with_faces = np.intersect1d(_photographs(task), np.flatnonzero(task.training.has_faces))
    count = min(task.recipe.calibration_count, len(with_faces))
    rows = np.sort(rng.choice(with_faces, count, replace=False))
    scenes = [task.training.scenes[row] for row in rows]
    listed = tuple(
        CalibrationPicture(task.training_rows[row], hashlib.sha256(scene.pixels.tobytes()).hexdigest())
        for row, scene in zip(rows, scenes, strict=True)
    )
    fitted = [fit_into(scene.pixels, shape)[0] for scene in scenes]
    widest = fitted[0].copy()
    # Without both the input scale would come out smaller than 1/255.
    widest[0, 0], widest[0, 1] = _BLACK, _WHITE
    return CalibrationList(tuple(e["sha256"] for e in run.inputs()["data"]), listed), np.stack([*fitted, widest])


def _photographs(task: FacesTask) -> NDArray[np.int64]:
    """Rows of whole pictures, such as a camera shows."""
    return np.flatnonzero(~task.training.is_cutout)


def _score_distance(float_model: bytes, int8_model: bytes, judges: list[Scene], shape: Shape) -> float:
    """Mean difference of scores over the cells that either net takes for a face, however weakly."""
    float_net, other = FloatNet(float_model), int8_net(int8_model)
    total, cells = 0.0, 0
    for scene in judges:
        fitted, _ = fit_into(scene.pixels, shape)
        a, b = score_map(float_net(fitted)), score_map(other(fitted))
        cared_for = np.maximum(a, b) > _INTERESTING
        total += float(np.abs(a - b)[cared_for].sum())
        cells += int(cared_for.sum())
    return total / max(cells, 1)
