"""From data files and a recipe to what the trainer needs, one task per kind of net."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

from converter.batches import Batches, EmotionBatches, KeypointBatches
from converter.datasets.copies import near_copy_groups
from converter.datasets.read import read_emotion, read_keypoints
from converter.datasets.split import split_by_group
from converter.datasets.types import CLASS_NAMES, TRAINING, EmotionData, KeypointData
from converter.errors import RecipeError
from converter.recipe import Recipe
from converter.resnet import build
from converter.scoring import Scores, score_emotion, score_keypoints
from edge_runtime.contract import EMOTION_LABELS, KEYPOINT_COUNT

_SPLIT_STREAM, _CALIBRATION_STREAM = 2, 3


@dataclass(frozen=True, eq=False)
class EmotionTask:
    """Faces to train on and faces to choose by."""

    recipe: Recipe
    training: EmotionData
    validation: EmotionData
    validation_rows: list[int]

    def net(self) -> keras.Model:
        """Build the untrained net."""
        return build(self.recipe.model, len(self.recipe.data.outputs))

    def batches(self) -> Batches:
        """Draw from the training part."""
        return EmotionBatches(self.training, self.recipe)

    def score(self, net: keras.Model) -> Scores:
        """Judge on the validation part."""
        return score_emotion(net, self.validation)

    def calibration_pictures(self) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
        """(N, h, w) pictures of the training part, from which the calibration list is drawn."""
        return self.training.images


@dataclass(frozen=True, eq=False)
class KeypointTask:
    """Faces with points to train on and to choose by."""

    recipe: Recipe
    training: KeypointData
    validation: KeypointData
    validation_rows: list[int]

    def net(self) -> keras.Model:
        """Build the untrained net."""
        return build(self.recipe.model, 2 * KEYPOINT_COUNT)

    def batches(self) -> Batches:
        """Draw from the training part."""
        return KeypointBatches(self.training, self.recipe)

    def score(self, net: keras.Model) -> Scores:
        """Judge on the validation part."""
        return score_keypoints(net, self.validation)

    def calibration_pictures(self) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
        """(N, 96, 96) pictures of the training part, from which the calibration list is drawn."""
        return self.training.crops


Task = EmotionTask | KeypointTask


def prepare(recipe: Recipe, files: list[Path]) -> Task:
    """Read the data, cut the validation part, and return what to train."""
    rng = np.random.default_rng([recipe.seed, _SPLIT_STREAM])
    if recipe.kind == "emotion":
        return _emotion_task(recipe, files, rng)
    data = read_keypoints(files)
    held_out = split_by_group(data.person, recipe.data.validation_share, rng)
    return KeypointTask(recipe, data.take(~held_out), data.take(held_out), np.flatnonzero(held_out).tolist())


def _emotion_task(recipe: Recipe, files: list[Path], rng: np.random.Generator) -> EmotionTask:
    """Keep the official Training part; copies of a picture of another part are left out of it."""
    outputs = recipe.data.outputs
    if outputs[: len(EMOTION_LABELS)] != EMOTION_LABELS or outputs != CLASS_NAMES[: len(outputs)]:
        raise RecipeError(f"data.outputs: expected the first 5, 6 or 7 of {list(CLASS_NAMES)}, found {list(outputs)}")
    data = read_emotion(files)
    groups = near_copy_groups(data.images, correlation=recipe.data.near_copy_correlation)
    reported = np.isin(groups, groups[data.usage != TRAINING])
    usable = (data.usage == TRAINING) & ~reported & (data.labels < len(outputs))
    if data.votes is not None:
        usable &= _looks_like_a_face(data)
    rows = np.flatnonzero(usable)
    held_out = split_by_group(groups[rows], recipe.data.validation_share, rng)
    chosen = rows[held_out]
    return EmotionTask(recipe, data.take(rows[~held_out]), data.take(chosen), chosen.tolist())


def _looks_like_a_face(data: EmotionData) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Leave out blank pictures: they carry a label, but nothing to learn it from."""
    return np.asarray(data.images.reshape(len(data), -1).std(axis=1) > 2.0)
