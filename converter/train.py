"""Train one net by one recipe: checkpoints after every epoch, goes on where it was killed."""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import cv2
import keras
import tensorflow as tf

from converter.batches import Batch, Batches
from converter.cluster import Alone, Workers
from converter.optimization import WeightAverage, learning_rate_at, loss_of, optimizer_of
from converter.recipe import Recipe
from converter.run_folder import RunFolder
from converter.scoring import Scores

_PREFETCH = 4


class Score(Protocol):
    """Judges a net on the validation part."""

    def __call__(self, net: keras.Model) -> Scores:
        """Return figures; `chosen_by` is the one that grows with quality."""
        ...


class Progress(Protocol):
    """Hears how far a run is."""

    def epoch_started(self, epoch: int, steps: int) -> None:
        """Hear that an epoch of so many steps begins."""
        ...

    def step_done(self, loss: float) -> None:
        """Hear one step's loss (a running mean)."""
        ...

    def epoch_done(self, record: dict[str, float]) -> None:
        """Hear the record of a finished epoch."""
        ...


class Trainer:
    """One net, its optimizer, its average, and the state on disk."""

    def __init__(
        self, recipe: Recipe, net: keras.Model, batches: Batches, run: RunFolder, workers: Workers | None = None
    ) -> None:
        """Build everything that a checkpoint holds and load the newest checkpoint, if there is one.

        Args:
            recipe: what is trained.
            net: untrained, or with the weights to start from.
            batches: of this process.
            run: folder that all processes share; the first one writes.
            workers: all processes; None = this one alone.
        """
        self._workers = workers or Alone()
        cv2.setNumThreads(1)
        self._recipe, self._net, self._batches, self._run = recipe, net, batches, run
        self._optimizer = optimizer_of(recipe.training, net)
        self._average = WeightAverage(net, recipe.training.average_momentum)
        self._epochs_done = tf.Variable(0, dtype=tf.int64, trainable=False)
        self._best = tf.Variable(float("-inf"), dtype=tf.float64, trainable=False)
        checkpoint = tf.train.Checkpoint(
            net=net,
            optimizer=self._optimizer,
            average=self._average,
            epochs_done=self._epochs_done,
            best=self._best,
        )
        self._manager = tf.train.CheckpointManager(checkpoint, str(run.checkpoints), max_to_keep=2)
        if self._manager.latest_checkpoint:
            checkpoint.restore(self._manager.latest_checkpoint).assert_existing_objects_matched()
        self._step = self._compiled_step()

    def fit(self, score: Score, progress: Progress) -> None:
        """Train the epochs that are left."""
        for epoch in range(int(self._epochs_done.numpy()), self._recipe.training.epochs):
            started = time.monotonic()
            progress.epoch_started(epoch, self._batches.per_epoch)
            loss = self._train_epoch(epoch, progress)
            self._average_statistics()
            self._epochs_done.assign(epoch + 1)
            if self._workers.rank > 0:
                continue
            with self._average.applied():
                scores = score(self._net)
                self._keep_if_best(scores)
            record = {"epoch": epoch, "loss": loss, **scores, "seconds": round(time.monotonic() - started, 1)}
            self._write(record)
            self._manager.save()
            progress.epoch_done(record)
        self._workers.mean([tf.constant(0.0)])  # nobody leaves before the first process has written the last epoch

    def _average_statistics(self) -> None:
        """Normalisation has seen other pictures in every process: agree on the mean."""
        variables = [weight.value for weight in self._net.non_trainable_variables if "seed" not in weight.path]
        variables += self._average.shadows
        if self._workers.count > 1:
            for variable, mean in zip(variables, self._workers.mean(variables), strict=True):
                variable.assign(mean)

    def _train_epoch(self, epoch: int, progress: Progress) -> float:
        total = 0.0
        for index, (pictures, targets) in enumerate(self._prefetched(epoch)):
            step = epoch * self._batches.per_epoch + index
            self._optimizer.learning_rate = learning_rate_at(self._recipe.training, step, self._batches.per_epoch)
            total += float(self._step(tf.constant(pictures), tf.constant(targets)))
            progress.step_done(total / (index + 1))
        return total / self._batches.per_epoch

    def _prefetched(self, epoch: int) -> Iterator[Batch]:
        """Make the next batches while the net is busy with this one.

        Not with tf.data: with one thread on one core its iterator waited a minute at the end of nearly every epoch.
        """
        batches = self._batches.epoch(epoch)
        with ThreadPoolExecutor(1) as maker:
            made = deque(maker.submit(next, batches, None) for _ in range(_PREFETCH))
            while (batch := made.popleft().result()) is not None:
                made.append(maker.submit(next, batches, None))
                yield batch

    def _compiled_step(self) -> tf.types.experimental.PolymorphicFunction:
        loss_function, net, optimizer, average = loss_of(self._recipe), self._net, self._optimizer, self._average

        def gradients(pictures: tf.Tensor, targets: tf.Tensor) -> list[tf.Tensor]:
            with tf.GradientTape() as tape:
                answers = net(tf.cast(pictures, tf.float32) / 255.0, training=True)
                loss = loss_function(targets, answers)
            return [loss, *tape.gradient(loss, net.trainable_variables)]

        def step(pictures: tf.Tensor, targets: tf.Tensor) -> tf.Tensor:
            loss, *means = self._workers.run(gradients, pictures, targets)
            optimizer.apply(means, net.trainable_variables)
            average.update()
            return loss

        return tf.function(step)

    def _keep_if_best(self, scores: Scores) -> None:
        if scores["chosen_by"] > float(self._best.numpy()):
            self._best.assign(scores["chosen_by"])
            self._net.save_weights(self._run.weights_file)

    def _write(self, record: dict[str, float]) -> None:
        # A kill after this line and before the checkpoint repeats the epoch: readers take the last record of an epoch.
        with self._run.progress_file.open("a") as stream:
            stream.write(json.dumps(record) + "\n")
