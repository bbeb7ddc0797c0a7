"""Endless, reproducible training batches: batch b of epoch e is the same whenever it is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from converter.augment import light, mirror, mirror_points, move, random_affine, warp
from converter.datasets.types import EmotionData, KeypointData
from converter.recipe import Recipe, Training
from edge_runtime.contract import INPUT_SIZE_PX, KEYPOINT_COUNT, KEYPOINT_OFFSET_PX, KEYPOINT_SCALE_PX

Batch = tuple[NDArray[np.uint8], NDArray[np.float32]]
"""(B, 96, 96, 1) pictures and (B, outputs) targets."""

_ORDER_STREAM, _PICTURE_STREAM = 0, 1
_FACE_SHAPE = (INPUT_SIZE_PX, INPUT_SIZE_PX, 1)


class Batches(Protocol):
    """Training batches of one epoch after the other."""

    per_epoch: int
    picture_shape: tuple[int, int, int]
    """(height, width, 1)."""
    target_shape: tuple[int, ...]
    """Of one picture."""

    def epoch(self, epoch: int, first: int = 0, every: int = 1) -> Iterator[Batch]:
        """Yield the batches of one epoch: all, or every n-th from `first` on."""
        ...


def target_shares(data: EmotionData, outputs: int, training: Training) -> NDArray[np.float32]:
    """(N, outputs) target shares: smoothed labels, mixed with crowd votes and a teacher's answers where known."""
    targets = np.full((len(data), outputs), training.label_smoothing / outputs, np.float32)
    targets[np.arange(len(data)), data.labels] += 1 - training.label_smoothing
    for shares, weight in ((data.votes, training.votes_weight), (data.soft, training.soft_weight)):
        if shares is not None and weight > 0:
            _mix(targets, shares[:, :outputs], weight)
    return targets


def _mix(targets: NDArray[np.float32], shares: NDArray[np.float32], weight: float) -> None:
    """Replace a part of each target, in place, where the shares are known and mostly speak of these outputs."""
    total = shares.sum(axis=1, keepdims=True)
    known = np.isfinite(total[:, 0]) & (total[:, 0] > 0.5)
    targets[known] = (1 - weight) * targets[known] + weight * shares[known] / total[known]


def normalized_points(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N, 15, 2) pixels of the 96 x 96 crop -> (N, 30) net output; NaN stays NaN."""
    return ((points - KEYPOINT_OFFSET_PX) / KEYPOINT_SCALE_PX).reshape(len(points), -1).astype(np.float32)


def pixel_points(answers: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N, 30) net output -> (N, 15, 2) pixels of the 96 x 96 crop."""
    real = answers.reshape(-1, KEYPOINT_COUNT, 2)
    return (real * KEYPOINT_SCALE_PX + KEYPOINT_OFFSET_PX).astype(np.float32)


def balanced_chance(kinds: NDArray[np.int64] | NDArray[np.str_], balance: float) -> NDArray[np.float64]:
    """(N,) chance of every row to be drawn: 0 as often as it is found, 1 all kinds equally often."""
    _, kind_of, counts = np.unique(kinds, return_inverse=True, return_counts=True)
    weight = counts[kind_of].astype(np.float64) ** -balance
    return np.asarray(weight / weight.sum())


def balanced_order(chance: NDArray[np.float64], count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw systematically: each row comes floor or ceil of its expected number of times."""
    shuffled = rng.permutation(len(chance))
    marks = np.cumsum(chance[shuffled])
    drawn = np.searchsorted(marks / marks[-1], (np.arange(count) + rng.random()) / count)
    return np.asarray(rng.permutation(shuffled[drawn]))


class EmotionBatches:
    """Class-aware draws of labelled faces, warped, lit and mixed."""

    def __init__(self, data: EmotionData, recipe: Recipe) -> None:
        """Prepare targets and the chance of every face to be drawn."""
        training = recipe.training
        self._images = data.images
        self._recipe = recipe
        self._targets = target_shares(data, len(recipe.data.outputs), training)
        self._chance = balanced_chance(data.labels, recipe.data.class_balance)
        self.per_epoch = max(len(data) // training.batch_size, 1)
        self.picture_shape = _FACE_SHAPE
        self.target_shape: tuple[int, ...] = (len(recipe.data.outputs),)

    def epoch(self, epoch: int, first: int = 0, every: int = 1) -> Iterator[Batch]:
        """Yield the batches of one epoch; faces are drawn with replacement only as balance asks."""
        size = self._recipe.training.batch_size
        rng = np.random.default_rng([self._recipe.seed, _ORDER_STREAM, epoch])
        order = balanced_order(self._chance, self.per_epoch * size, rng)
        for index in range(first, self.per_epoch, every):
            rng = np.random.default_rng([self._recipe.seed, _PICTURE_STREAM, epoch, index])
            yield self._batch(order[index * size : (index + 1) * size], rng)

    def _batch(self, rows: NDArray[np.int64], rng: np.random.Generator) -> Batch:
        pictures = np.stack([self._picture(self._images[row], rng) for row in rows])[..., np.newaxis]
        targets = self._targets[rows]
        alpha = self._recipe.training.mixup_alpha
        if alpha <= 0:
            return pictures, targets
        share = rng.beta(alpha, alpha, (len(rows), 1)).astype(np.float32)
        share = np.maximum(share, 1 - share)
        other = rng.permutation(len(rows))
        image_share = share[:, :, np.newaxis, np.newaxis]
        mixed = image_share * pictures + (1 - image_share) * pictures[other]
        return (mixed + 0.5).astype(np.uint8), share * targets + (1 - share) * targets[other]

    def _picture(self, image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
        side = image.shape[0]
        warped = warp(image, random_affine(self._recipe.augment, rng, source_px=side, span_px=side))
        if rng.random() < 0.5:
            warped = mirror(warped)
        return light(warped, self._recipe.augment, rng)


class KeypointBatches:
    """Faces with their points, warped together."""

    def __init__(self, data: KeypointData, recipe: Recipe) -> None:
        """Keep the data; nothing is copied."""
        self._data = data
        self._recipe = recipe
        self._chance = balanced_chance(data.source, recipe.data.source_balance)
        self.per_epoch = max(len(data) // recipe.training.batch_size, 1)
        self.picture_shape = _FACE_SHAPE
        self.target_shape: tuple[int, ...] = (2 * KEYPOINT_COUNT,)

    def epoch(self, epoch: int, first: int = 0, every: int = 1) -> Iterator[Batch]:
        """Yield the batches of one epoch; faces are drawn more than once only as balance asks."""
        size = self._recipe.training.batch_size
        rng = np.random.default_rng([self._recipe.seed, _ORDER_STREAM, epoch])
        order = balanced_order(self._chance, self.per_epoch * size, rng)
        for index in range(first, self.per_epoch, every):
            rng = np.random.default_rng([self._recipe.seed, _PICTURE_STREAM, epoch, index])
            faces = [self._face(row, rng) for row in order[index * size : (index + 1) * size]]
            pictures = np.stack([picture for picture, _ in faces])[..., np.newaxis]
            yield pictures, normalized_points(np.stack([points for _, points in faces]))

    def _face(self, row: int, rng: np.random.Generator) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        image, points = self._data.images[row], self._data.points[row]
        if rng.random() < 0.5:
            image, points = mirror(image), mirror_points(points)
            points[:, 0] += 2 * self._recipe.data.side_shift_px.get(str(self._data.source[row]), 0.0)
        affine = random_affine(self._recipe.augment, rng, source_px=image.shape[0], span_px=INPUT_SIZE_PX)
        picture = light(warp(image, affine), self._recipe.augment, rng)
        return picture, move(points + self._data.margin_px, affine)
