"""How good a float faces net is on validation pictures: what an epoch is chosen by."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import keras
import numpy as np

from converter.faces.data import DetectionData, Scene, size_of
from converter.faces.matching import average_precision, match, precision_recall
from converter.recipe import Detection
from converter.scoring import Scores
from edge_runtime.decode import Candidates, Level, decode, suppress
from edge_runtime.preprocess import fit_factor, fit_into

_BATCH = 16
_LOWEST_SCORE = 0.02
_PRECISION = 0.95


def score_faces(net: keras.Model, data: DetectionData, recipe: Detection) -> Scores:
    """Average precision over faces that are large enough in the input; `chosen_by` is that figure."""
    return scores_of(zip(finds_of(net, data, recipe.input_shape), data.scenes, strict=True), recipe)


def finds_of(net: keras.Model, data: DetectionData, shape: tuple[int, int]) -> Iterator[Candidates]:
    """Find faces in every picture; boxes in pixels of the picture."""
    for start in range(0, len(data), _BATCH):
        scenes = data.scenes[start : start + _BATCH]
        fitted = [fit_into(scene.pixels, shape) for scene in scenes]
        inputs = np.stack([pixels for pixels, _ in fitted])[..., np.newaxis].astype(np.float32) / 255.0
        answers = [np.asarray(answer) for answer in net(inputs, training=False)]
        for index, (_, factor) in enumerate(fitted):
            levels = [Level(answers[k][index, ..., 0], answers[k + 1][index]) for k in range(0, len(answers), 2)]
            yield in_picture(levels, shape[0], factor)


def in_picture(levels: Sequence[Level], input_height: int, factor: float) -> Candidates:
    """Decode one picture's answers down to a very low score; boxes in pixels of the picture."""
    found = decode(levels, input_height=input_height, min_score=_LOWEST_SCORE)
    return suppress(found).scaled(factor)


def scores_of(judged: Iterator[tuple[Candidates, Scene]], recipe: Detection) -> Scores:
    """Put finds and faces of all pictures together."""
    scores, verdicts, faces = [], [], 0
    for found, scene in judged:
        factor = fit_factor(scene.pixels.shape, recipe.input_shape)
        ignored = scene.ignored | (size_of(scene.boxes) < recipe.min_face_px * factor)
        scores.append(found.scores)
        verdicts.append(match(found, scene.boxes, ignored).verdicts)
        faces += int((~ignored).sum())
    every_score, every_verdict = np.concatenate(scores), np.concatenate(verdicts)
    ap = average_precision(every_score, every_verdict, faces)
    _, recall, precision = precision_recall(every_score, every_verdict, faces)
    good = recall[precision >= _PRECISION]
    return {"ap": ap, "recall_at_95": float(good.max()) if good.size else 0.0, "chosen_by": ap}
