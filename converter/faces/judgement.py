"""Judges both nets of a quantised faces run on its validation part and chooses the score from which a find counts."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from converter.drafts import read_model
from converter.faces.answers import FloatNet, Net, all_finds, int8_net
from converter.faces.data import Boxes, size_of
from converter.faces.matching import FALSE_ALARM, HIT, average_precision, match, precision_recall
from converter.faces.task import FacesTask
from converter.figures import Figures
from converter.parity import LEAST_ACCURACY_RATIO
from converter.run_folder import RunFolder
from edge_runtime.decode import Candidates, shorter_sides
from edge_runtime.interpreter import open_interpreter
from edge_runtime.least_scores import LeastScores
from edge_runtime.preprocess import fit_factor

LARGE_SHARE: Final = 28 / 320
"""Short side, as a share of the input's width, from which a face is large: 56 px of a frame that is 640 wide."""


@dataclass(frozen=True)
class Promise:
    """What holds of the finds of one size on validation pictures."""

    precision: float
    empty_shown: float
    """Share of inputs full of pictures without faces that may show such a find. Pictures are never enlarged: of a
    larger input they fill a part, and so small a part of the false faces of a whole one can be seen in them."""


OF_LARGE: Final = Promise(precision=0.985, empty_shown=0.02)
OF_SMALL: Final = Promise(precision=0.9, empty_shown=0.05)
"""Far from the camera a false face is easier to bear than many that are missed."""

SIZES: Final = {"28 px and more": (28.0, np.inf), "18 to 28 px": (18.0, 28.0), "9 to 18 px": (9.0, 18.0)}
"""Short side in the net's input."""

_CURVE_POINTS = 60
_HIGHEST_SCORE = 0.99


@dataclass(frozen=True, eq=False)
class Finds:
    """All finds of one net on the validation part; every array has one row per find."""

    scores: NDArray[np.float32]
    verdicts: NDArray[np.int64]
    sizes: NDArray[np.float32]
    """Short side in the input, pixels: of the face for a hit, else of the find."""
    own_sizes: NDArray[np.float32]
    """Of the find, whatever it hits."""
    face_sizes: NDArray[np.float32]
    """(faces,) of all faces that are to be found."""
    empty_picture: NDArray[np.int64]
    """Which of the pictures without any face, marked or ignored, a find is in; -1 = in none."""
    empty_pictures: int
    empty_inputs: float
    """What the pictures without faces fill, in whole inputs."""


def input_shape(model: bytes) -> tuple[int, int]:
    """Height and width of a net's input."""
    shape = open_interpreter(model).input_shape
    return int(shape[1]), int(shape[2])


def judge_faces(run: RunFolder, task: FacesTask) -> tuple[LeastScores, Figures, Figures, Figures]:
    """Return the chosen scores, the figures of the float and of the int8 net, and their parity."""
    int8_model = read_model(run.tflite_file)
    shape = input_shape(int8_model)
    of_int8 = _finds(int8_net(int8_model), task, shape, "int8 net")
    of_float = _finds(FloatNet(read_model(run.float_tflite_file)), task, shape, "float net")
    least = choose_scores(of_int8, LARGE_SHARE * shape[1])
    figures = [finds_figures(finds, least) for finds in (of_float, of_int8)]
    return least, figures[0], figures[1], _parity(figures[0]["ap"], figures[1]["ap"], len(task.validation))


def _finds(net: Net, task: FacesTask, shape: tuple[int, int], title: str) -> Finds:
    parts: list[Finds] = []
    empty = 0
    scenes = task.validation.scenes
    all_found = all_finds(net, task.validation, shape, title, close_ups=task.recipe.detection.close_ups)
    for found, scene in zip(all_found, scenes, strict=True):
        factor = fit_factor(scene.pixels.shape, shape)
        ignored = scene.ignored | (size_of(scene.boxes) < task.recipe.detection.min_face_px * factor)
        finds = _of_picture(found, scene.boxes, ignored, factor)
        if len(scene.boxes) == 0:
            filled = scene.pixels.size / factor**2 / math.prod(shape)
            finds = replace(finds, empty_picture=np.full(len(finds.scores), empty), empty_inputs=filled)
            empty += 1
        parts.append(finds)
    return Finds(
        np.concatenate([part.scores for part in parts]),
        np.concatenate([part.verdicts for part in parts]),
        np.concatenate([part.sizes for part in parts]),
        np.concatenate([part.own_sizes for part in parts]),
        np.concatenate([part.face_sizes for part in parts]),
        np.concatenate([part.empty_picture for part in parts]),
        empty,
        sum(part.empty_inputs for part in parts),
    )


def _of_picture(found: Candidates, boxes: Boxes, ignored: NDArray[np.bool_], factor: float) -> Finds:
    """What is found in one picture with faces."""
    matches = match(found, boxes, ignored)
    own_sizes, face_sizes = shorter_sides(found.boxes) / factor, shorter_sides(boxes) / factor
    hits, sizes = matches.verdicts == HIT, own_sizes.copy()
    sizes[hits] = face_sizes[matches.face_of[hits]]
    nowhere = np.full(len(found.scores), -1)
    return Finds(found.scores, matches.verdicts, sizes, own_sizes, face_sizes[~ignored], nowhere, 0, 0.0)


def choose_scores(finds: Finds, large_px: float) -> LeastScores:
    """Choose the lowest scores that keep the promises; two digits, rounded up.

    In front of an empty place a false face is all there is, so there are two promises. Small finds need no more than
    large ones.
    """
    is_large = finds.own_sizes >= large_px
    large = _lowest_score(finds, is_large, OF_LARGE)
    return LeastScores(large, min(large, _lowest_score(finds, ~is_large, OF_SMALL)), large_px)


def _lowest_score(finds: Finds, chosen: NDArray[np.bool_], promise: Promise) -> float:
    scores, _, precision = precision_recall(finds.scores[chosen], finds.verdicts[chosen], 1)
    good = scores[precision >= promise.precision]
    if not good.size:
        return _HIGHEST_SCORE
    best = np.zeros(finds.empty_pictures)  # score of the best chosen find of each empty picture
    here = chosen & (finds.empty_picture >= 0)
    np.maximum.at(best, finds.empty_picture[here], finds.scores[here])
    allowed = round(promise.empty_shown * finds.empty_inputs)
    too_many = float(np.sort(best)[::-1][allowed]) if len(best) > allowed else 0.0
    return min(max(math.ceil(100 * float(good.min())), math.floor(100 * too_many) + 1) / 100, _HIGHEST_SCORE)


def finds_figures(finds: Finds, least: LeastScores) -> Figures:
    """Average precision over all scores, and what is found and right from the chosen scores on, by size."""
    scores, recall, precision = precision_recall(finds.scores, finds.verdicts, len(finds.face_sizes))
    steps = np.unique(np.linspace(0, len(scores) - 1, min(_CURVE_POINTS, len(scores))).astype(int))
    shown = least.counted(finds.scores, finds.own_sizes)
    figures: Figures = {
        "n": len(finds.face_sizes),
        "ap": average_precision(finds.scores, finds.verdicts, len(finds.face_sizes)),
        "threshold": least.large,
        "threshold_small": least.small,
        "recall": {},
        "precision": {},
        "curve": [
            [round(float(recall[i]), 4), round(float(precision[i]), 4), round(float(scores[i]), 4)] for i in steps
        ],
    }
    for name, (low, high) in SIZES.items():
        of_size = shown & (finds.sizes >= low) & (finds.sizes < high)
        hits = int((of_size & (finds.verdicts == HIT)).sum())
        alarms = int((of_size & (finds.verdicts == FALSE_ALARM)).sum())
        faces = int(((finds.face_sizes >= low) & (finds.face_sizes < high)).sum())
        figures["recall"][f"{name} ({faces} faces)"] = hits / faces if faces else float("nan")
        figures["precision"][name] = hits / (hits + alarms) if hits + alarms else float("nan")
    return figures


def _parity(ap_float: float, ap_int8: float, pictures: int) -> Figures:
    """Compare average precision; the gate is that of the other nets."""
    ratio = ap_int8 / ap_float if ap_float > 0 else 0.0
    return {
        "n": pictures,
        "ap_float": ap_float,
        "ap_int8": ap_int8,
        "accuracy_ratio": ratio,
        "passed": bool(ratio >= LEAST_ACCURACY_RATIO),
    }
