"""Losses, learning-rate schedule and weight averaging of the trainer."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import keras
import tensorflow as tf

from converter.faces.loss import faces_loss
from converter.recipe import Recipe, Training
from edge_runtime.contract import KEYPOINT_SCALE_PX

Loss = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]


def loss_of(recipe: Recipe) -> Loss:
    """Choose the loss of a kind: (targets, answers) -> scalar."""
    if recipe.kind == "emotion":
        return _cross_entropy
    if recipe.kind == "faces":
        side, box_weight = recipe.detection.crop_px, recipe.detection.box_weight
        return lambda targets, answers: faces_loss(targets, answers, side=side, box_weight=box_weight)
    delta = recipe.training.huber_delta_px / KEYPOINT_SCALE_PX
    return lambda targets, answers: masked_huber(targets, answers, delta)


def _cross_entropy(targets: tf.Tensor, answers: tf.Tensor) -> tf.Tensor:
    return tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(targets, answers))


def masked_huber(targets: tf.Tensor, answers: tf.Tensor, delta: float) -> tf.Tensor:
    """Mean Huber loss over the coordinates that are annotated; NaN targets count nothing, not even in the gradient.

    Args:
        targets: (B, 30); NaN = not annotated.
        answers: (B, 30).
        delta: error above which the loss grows linearly, in the unit of the targets.
    """
    known = tf.math.is_finite(targets)
    # Replace before subtracting: NaN * 0 is NaN, and so is its gradient.
    error = tf.abs(tf.where(known, targets, tf.zeros_like(targets)) - answers)
    huber = tf.where(error <= delta, 0.5 * error**2, delta * (error - 0.5 * delta)) / delta
    weight = tf.cast(known, huber.dtype)
    return tf.reduce_sum(huber * weight) / tf.maximum(tf.reduce_sum(weight), 1.0)


def learning_rate_at(training: Training, step: int, per_epoch: int) -> float:
    """Warm up linearly, then follow a cosine to zero."""
    warmup = training.warmup_epochs * per_epoch
    total = training.epochs * per_epoch
    if step < warmup:
        return training.learning_rate * (step + 1) / warmup
    progress = (step - warmup) / max(total - warmup, 1)
    return training.learning_rate * 0.5 * (1 + math.cos(math.pi * min(progress, 1.0)))


def optimizer_of(training: Training, net: keras.Model) -> keras.optimizers.Optimizer:
    """Build the optimizer; weight decay touches kernels alone, never normalisation or biases."""
    if training.optimizer == "sgd":
        optimizer = keras.optimizers.SGD(
            training.learning_rate, momentum=0.9, nesterov=True, weight_decay=training.weight_decay
        )
    else:
        optimizer = keras.optimizers.AdamW(training.learning_rate, weight_decay=training.weight_decay)
    optimizer.exclude_from_weight_decay([v for v in net.trainable_variables if not v.path.endswith("kernel")])
    optimizer.build(net.trainable_variables)
    return optimizer


class WeightAverage(tf.Module):
    """Moving average of all weights, normalisation statistics included.

    Source: B. Polyak, A. Juditsky, "Acceleration of Stochastic Approximation by Averaging", 1992.
    """

    def __init__(self, net: keras.Model, momentum: float) -> None:
        """Start from the weights as they are."""
        super().__init__()
        self._weights = [weight.value for weight in net.weights]
        self.shadows = [tf.Variable(weight, trainable=False) for weight in self._weights]
        self.steps = tf.Variable(0, dtype=tf.int64, trainable=False)
        self._momentum = momentum

    def update(self) -> None:
        """Move every average a little towards its weight; early steps move more."""
        self.steps.assign_add(1)
        steps = tf.cast(self.steps, tf.float32)
        keep = tf.minimum(self._momentum, (1 + steps) / (10 + steps))
        for shadow, weight in zip(self.shadows, self._weights, strict=True):
            shadow.assign(keep * shadow + (1 - keep) * tf.cast(weight, shadow.dtype))

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Put the averages into the net for a while."""
        kept = [tf.identity(weight) for weight in self._weights]
        for weight, shadow in zip(self._weights, self.shadows, strict=True):
            weight.assign(shadow)
        try:
            yield
        finally:
            for weight, value in zip(self._weights, kept, strict=True):
                weight.assign(value)
