"""The pictures that fix the int8 ranges: drawn from the training part alone, listed, and checked when used again."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from converter.calibration_list import CalibrationList, CalibrationPicture
from converter.errors import RunError
from converter.run_folder import RunFolder
from converter.tasks import CropTask
from edge_runtime.preprocess import enlarge

_CALIBRATION_STREAM, _JUDGING_STREAM = 3, 4
_PARTS = (1, 2, 4)
_BLACK, _WHITE = 0, 255


def candidate_lists(run: RunFolder, task: CropTask, count: int) -> list[CalibrationList]:
    """Draw the lists of which quantisation keeps the best.

    One odd picture widens the range of a tensor, and with it every step of its int8 values; which draw is free of
    such pictures shows only in the answers. Fewer pictures are freer of them, so the lists hold the recipe's number,
    a half and a quarter of it in turn.
    """
    most = min(task.recipe.calibration_count, len(task.training_rows))
    sizes = [max(most // _PARTS[index % len(_PARTS)], 1) for index in range(count)]
    return [_draw(run, task, size, index) for index, size in enumerate(sizes)]


def judging_rows(task: CropTask, count: int) -> NDArray[np.int64]:
    """Draw faces of the training part on which the candidates are compared; (count,) indices into it."""
    rng = np.random.default_rng([task.recipe.seed, _JUDGING_STREAM])
    return np.sort(rng.choice(len(task.training_rows), min(count, len(task.training_rows)), replace=False))


def _draw(run: RunFolder, task: CropTask, count: int, index: int) -> CalibrationList:
    rng = np.random.default_rng([task.recipe.seed, _CALIBRATION_STREAM, index])
    faces = task.calibration_pictures()
    chosen = np.sort(rng.choice(len(faces), count, replace=False))
    pictures = tuple(CalibrationPicture(task.training_rows[row], _digest(faces[row])) for row in chosen)
    return CalibrationList(tuple(entry["sha256"] for entry in run.inputs()["data"]), pictures)


def calibration_inputs(listed: CalibrationList, task: CropTask) -> NDArray[np.uint8]:
    """Look the list up in the data.

    Returns:
        (N + 1, 96, 96) uint8. The last is a copy of the first with one black and one white pixel: without both, the
        input scale would come out smaller than 1/255.

    Raises:
        RunError: the list is not of this data, or not of its training part.
    """
    index_of = {row: index for index, row in enumerate(task.training_rows)}
    faces = task.calibration_pictures()
    inputs = []
    for picture in listed.pictures:
        index = index_of.get(picture.row)
        if index is None:
            raise RunError(f"calibration list: row {picture.row} is not in the training part; delete the list")
        if _digest(faces[index]) != picture.sha256:
            raise RunError(f"calibration list: row {picture.row} holds another picture; was it made from other data?")
        inputs.append(enlarge(faces[index]))
    widest = inputs[0].copy()
    widest[0, 0], widest[0, 1] = _BLACK, _WHITE
    return np.stack([*inputs, widest])


def _digest(face: NDArray[np.uint8]) -> str:
    return hashlib.sha256(np.ascontiguousarray(face).tobytes()).hexdigest()
