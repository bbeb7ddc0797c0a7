"""From data files and a recipe to what the trainer needs, one task per kind of net."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import keras
import numpy as np

from converter.batches import Batches, EmotionBatches, KeypointBatches, normalized_points
from converter.console import note
from converter.datasets.copies import joined_by_copies, near_copy_groups
from converter.datasets.label_orders import LabelOrder
from converter.datasets.read import read_emotion, read_keypoints
from converter.datasets.split import split_by_group
from converter.datasets.types import CLASS_NAMES, TRAINING, EmotionData, KeypointData
from converter.errors import DataError, RecipeError, RunError
from converter.faces.read import read_training_scenes
from converter.faces.task import FacesTask
from converter.recipe import Recipe
from converter.resnet import build
from converter.run_folder import RunFolder, read_json, write_json
from converter.scoring import Scores, score_emotion, score_keypoints
from converter.soft_labels import read_soft_labels
from edge_runtime.contract import EMOTION_LABELS, KEYPOINT_COUNT

_SPLIT_STREAM = 2

_OUTSIDE_PX = 4.0
"""Points are told up to so far outside their crop. With boxes that are off by 10 % in size and place and by 15 degrees,
int8 answers on 602 faces were 31 % worse where calibration alone had set the range, and 10 % with this."""


@dataclass(frozen=True, eq=False)
class EmotionTask:
    """Faces to train on and faces to choose by."""

    recipe: Recipe
    training: EmotionData
    validation: EmotionData
    training_rows: list[int]
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

    @property
    def output_range(self) -> tuple[float, float] | None:
        """Real values that the int8 output must hold; None = what calibration finds."""
        return None


@dataclass(frozen=True, eq=False)
class KeypointTask:
    """Faces with points to train on and to choose by."""

    recipe: Recipe
    training: KeypointData
    validation: KeypointData
    training_rows: list[int]
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

    @property
    def output_range(self) -> tuple[float, float] | None:
        """Real values that the int8 output must hold: points in the crop and a little outside."""
        corners = np.full((1, KEYPOINT_COUNT, 2), -_OUTSIDE_PX, np.float32)
        low = float(normalized_points(corners)[0, 0])
        return low, -low


CropTask = EmotionTask | KeypointTask
"""Kinds whose nets see one face in a crop."""

Task = CropTask | FacesTask


@dataclass(frozen=True)
class Split:
    """Which rows of the data, in the order of reading, are trained on and which are chosen by."""

    training_rows: list[int]
    validation_rows: list[int]


def prepare(recipe: Recipe, files: list[Path], order: LabelOrder | None = None, split: Split | None = None) -> Task:
    """Read the data and cut the validation part.

    Args:
        recipe: what is trained.
        files: the data.
        order: numbering of emotions in CSV files that do not prove it.
        split: the cut of an earlier call, which saves the search for copies; None = cut now.

    Raises:
        DataError: nothing is left to train on, or nothing to choose by.
    """
    task = _read_and_cut(recipe, files, order, split)
    _refuse_empty(task, files)
    return task


def _read_and_cut(recipe: Recipe, files: list[Path], order: LabelOrder | None, split: Split | None) -> Task:
    if recipe.kind == "emotion":
        _check_outputs(recipe.data.outputs)
        faces = read_emotion(files, order)
        rows = split or _cut_emotion(recipe, faces)
        training, validation = np.array(rows.training_rows, np.int64), np.array(rows.validation_rows, np.int64)
        return EmotionTask(recipe, faces.take(training), faces.take(validation), *_lists(rows))
    if recipe.kind == "faces":
        return _prepare_faces(recipe, files, split)
    data = read_keypoints(files)
    rows = split or _cut_keypoints(recipe, data)
    training, validation = np.array(rows.training_rows, np.int64), np.array(rows.validation_rows, np.int64)
    return KeypointTask(recipe, data.take(training), data.take(validation), *_lists(rows))


def _prepare_faces(recipe: Recipe, files: list[Path], split: Split | None) -> FacesTask:
    scenes = read_training_scenes(files)
    held_out = split_by_group(scenes.group, recipe.data.validation_share, _split_rng(recipe)) & ~scenes.is_cutout
    rows = split or Split(np.flatnonzero(~held_out).tolist(), np.flatnonzero(held_out).tolist())
    training, validation = np.array(rows.training_rows, np.int64), np.array(rows.validation_rows, np.int64)
    return FacesTask(recipe, scenes.take(training), scenes.take(validation), *_lists(rows))


def _refuse_empty(task: Task, files: list[Path]) -> None:
    """Refuse parts from which no net could be made, or no epoch be chosen."""
    where = ", ".join(map(str, files))
    remedy = f"or change data.validation_share (now {task.recipe.data.validation_share:g})"
    counts = len(task.training), len(task.validation)
    if not all(counts):
        raise DataError(
            f"{where}: {counts[0]} faces to train on, {counts[1]} to choose by; expected some each; "
            f"add faces of other people, {remedy}"
        )
    if isinstance(task, EmotionTask) and not np.any(task.validation.labels < len(EMOTION_LABELS)):
        raise DataError(
            f"{where}: none of the {counts[1]} faces to choose by is of {list(EMOTION_LABELS)}; add some, {remedy}"
        )
    if isinstance(task, KeypointTask) and not np.isfinite(task.validation.points).any():
        raise DataError(
            f"{where}: none of the {counts[1]} faces to choose by has an annotated point; add some, {remedy}"
        )


def _lists(split: Split) -> tuple[list[int], list[int]]:
    return split.training_rows, split.validation_rows


def _cut_keypoints(recipe: Recipe, data: KeypointData) -> Split:
    people = joined_by_copies(data.person, data.crops)
    held_out = split_by_group(people, recipe.data.validation_share, _split_rng(recipe))
    return Split(np.flatnonzero(~held_out).tolist(), np.flatnonzero(held_out).tolist())


def _split_rng(recipe: Recipe) -> np.random.Generator:
    return np.random.default_rng([recipe.seed, _SPLIT_STREAM])


def _check_outputs(outputs: tuple[str, ...]) -> None:
    if outputs[: len(EMOTION_LABELS)] != EMOTION_LABELS or outputs != CLASS_NAMES[: len(outputs)]:
        raise RecipeError(f"data.outputs: expected the first 5, 6 or 7 of {list(CLASS_NAMES)}, found {list(outputs)}")


def _cut_emotion(recipe: Recipe, data: EmotionData) -> Split:
    """Keep the official Training part; copies of a picture of another part are left out of it."""
    groups = near_copy_groups(data.images, correlation=recipe.data.near_copy_correlation)
    reported = np.isin(groups, groups[data.usage != TRAINING])
    usable = (data.usage == TRAINING) & ~reported & (data.labels < len(recipe.data.outputs)) & _looks_like_a_face(data)
    rows = np.flatnonzero(usable)
    held_out = split_by_group(groups[rows], recipe.data.validation_share, _split_rng(recipe))
    return Split(rows[~held_out].tolist(), rows[held_out].tolist())


def _looks_like_a_face(data: EmotionData) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Leave out blank pictures: they carry a label, but nothing to learn it from."""
    return np.asarray(data.images.reshape(len(data), -1).std(axis=1) > 2.0)


def prepare_run(run: RunFolder) -> Task:
    """Prepare what a run trains; its cut is written at the first call and read at every later one.

    Raises:
        RunError: the data is gone or has changed.
    """
    recipe, files, labels = run.recipe(), run.check_data(), run.labels()
    written: dict[str, list[int]] = read_json(run.split_file) if run.split_file.exists() else {}
    if "training_rows" in written:
        return _softened(run, prepare(recipe, files, labels, Split(**written)))
    task = prepare(recipe, files, labels)
    _refuse_other_cut(run, task, written)
    write_json(run.split_file, {"training_rows": task.training_rows, "validation_rows": task.validation_rows})
    return _softened(run, task)


def _softened(run: RunFolder, task: Task) -> Task:
    """Give the training faces the soft labels that the run was started with.

    Raises:
        RunError: they name a validation picture, or no training picture.
    """
    path = run.soft_labels()
    if path is None or not isinstance(task, EmotionTask):
        return task
    soft = read_soft_labels(path)
    soft.refuse_seen(task.validation.images)
    shares = soft.of(task.training.images)
    named, count = int(np.isfinite(shares[:, 0]).sum()), len(shares)
    if not named:
        raise RunError(f"{path}: names none of the {count} training pictures; make it from a run on the same data")
    if named < count:
        note("soft labels name %d of %d training pictures; the others have their label alone", named, count)
    return replace(task, training=replace(task.training, soft=shares))


def _refuse_other_cut(run: RunFolder, task: Task, written: dict[str, list[int]]) -> None:
    """A cut that comes out differently would let training faces into the validation part."""
    if written and written["validation_rows"] != task.validation_rows:
        raise RunError(f"{run.split_file}: the data cuts differently now; train again in another folder")
