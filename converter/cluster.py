"""Several processes train one net: each sees its share of every batch, all apply the mean of their gradients.

TensorFlow names the processes in the environment variable TF_CONFIG:

    TF_CONFIG='{"cluster": {"worker": ["a:2222", "b:2222"]}, "task": {"type": "worker", "index": 0}}'

A process has one replica: one machine of a cluster, or one GPU of a box (CUDA_VISIBLE_DEVICES chooses it). Every
process keeps plain variables of its own. They start alike, for the seed is the same, and stay alike, for all apply the
same gradients; statistics of the normalisation are averaged at the end of an epoch. Keras' own distribution is not
used: its normalisation layers cannot be updated inside `strategy.run`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Protocol

import msgspec
import tensorflow as tf

from converter.batches import Batch, Batches
from converter.errors import RecipeError
from converter.recipe import Recipe, replaced

Step = Callable[[tf.Tensor, tf.Tensor], list[tf.Tensor]]


class Workers(Protocol):
    """All processes that train one net, seen from one of them."""

    rank: int
    count: int

    def run(self, step: Step, pictures: tf.Tensor, targets: tf.Tensor) -> list[tf.Tensor]:
        """Run a step on this process's share and return the mean of every result over all processes."""
        ...

    def mean(self, tensors: Sequence[tf.Tensor]) -> list[tf.Tensor]:
        """Return the mean of every tensor over all processes; all must call it."""
        ...


class Alone:
    """One process: the usual case."""

    rank, count = 0, 1

    def run(self, step: Step, pictures: tf.Tensor, targets: tf.Tensor) -> list[tf.Tensor]:
        """Run the step."""
        return step(pictures, targets)

    def mean(self, tensors: Sequence[tf.Tensor]) -> list[tf.Tensor]:
        """Return what is given."""
        return list(tensors)


class Cluster:
    """One process of several."""

    def __init__(self, rank: int, count: int) -> None:
        """Meet the others; waits until all are there."""
        self.rank, self.count = rank, count
        self._strategy = tf.distribute.MultiWorkerMirroredStrategy()

    def run(self, step: Step, pictures: tf.Tensor, targets: tf.Tensor) -> list[tf.Tensor]:
        """Run the step in this process's replica and average its results."""
        return list(self._strategy.run(lambda *share: _all_reduced(step(*share)), args=(pictures, targets)))

    def mean(self, tensors: Sequence[tf.Tensor]) -> list[tf.Tensor]:
        """Average over the network."""
        return list(self._strategy.run(_all_reduced, args=(list(tensors),)))


def _all_reduced(tensors: list[tf.Tensor]) -> list[tf.Tensor]:
    context = tf.distribute.get_replica_context()
    return list(context.all_reduce(tf.distribute.ReduceOp.MEAN, tensors))


class _Addresses(msgspec.Struct, frozen=True):
    worker: list[str]


class _Place(msgspec.Struct, frozen=True):
    index: int


class _Config(msgspec.Struct, frozen=True):
    """What is read of TF_CONFIG."""

    cluster: _Addresses
    task: _Place


def join_workers() -> Workers:
    """Join the processes that TF_CONFIG names; must come before anything else of TensorFlow.

    Raises:
        RecipeError: TF_CONFIG is not what TensorFlow expects.
    """
    text = os.environ.get("TF_CONFIG", "")
    if not text:
        return Alone()
    try:
        config = msgspec.json.decode(text, type=_Config, strict=False)  # an index in quotes is fine
    except msgspec.DecodeError as error:
        expected = '{"cluster": {"worker": ["HOST:PORT", ...]}, "task": {"type": "worker", "index": 0}}'
        raise RecipeError(f"TF_CONFIG: expected {expected}, found {text!r}") from error
    workers, rank = config.cluster.worker, config.task.index
    if not 0 <= rank < len(workers):
        raise RecipeError(f"TF_CONFIG: expected an index from 0 to {len(workers) - 1}, found {rank}")
    return Cluster(rank, len(workers)) if len(workers) > 1 else Alone()


def share_of(recipe: Recipe, workers: Workers) -> Recipe:
    """Cut the batch into equal parts, so that all processes together take the recipe's batches.

    Raises:
        RecipeError: it cannot be cut so.
    """
    size = recipe.training.batch_size
    if size % workers.count:
        raise RecipeError(f"training.batch_size: expected a multiple of {workers.count} workers, found {size}")
    return replaced(recipe, batch_size=size // workers.count)


class SharedBatches:
    """The batches of one process: every count-th of those that are cut to size."""

    def __init__(self, batches: Batches, workers: Workers) -> None:
        """Keep the batches of a recipe that `share_of` cut."""
        self._batches, self._workers = batches, workers
        self.per_epoch = batches.per_epoch // workers.count
        self.picture_shape, self.target_shape = batches.picture_shape, batches.target_shape

    def epoch(self, epoch: int, first: int = 0, every: int = 1) -> Iterator[Batch]:
        """Give this process's batches of an epoch, as many as any other process has."""
        rank, count = self._workers.rank, self._workers.count
        mine = self._batches.epoch(epoch, first=rank + count * first, every=count * every)
        return islice(mine, len(range(first, self.per_epoch, every)))
