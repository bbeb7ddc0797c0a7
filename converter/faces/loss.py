"""The loss of the faces net: scores that tell how well the box fits, and boxes that overlap.

Sources: H. Zhang and others, "VarifocalNet", CVPR 2021 (a face's score shall be the overlap of its box; `_varifocal`
tells what is done otherwise here); H. Rezatofighi and others, "Generalized intersection over union", CVPR 2019.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from converter.faces.net import STRIDES
from edge_runtime.decode import MAX_LOG, SIDES, cell_middle

_BACKGROUND_WEIGHT, _FOCUS = 0.75, 2.0
_TINY = 1e-6


def faces_loss(targets: tf.Tensor, answers: Sequence[tf.Tensor], *, side: int, box_weight: float) -> tf.Tensor:
    """Add the loss of scores and of boxes, both per cell that answers for a face.

    Args:
        targets: (B, cells, 5) as converter.faces.targets makes them.
        answers: (B, h, w, 1) and (B, h, w, 4) per level, finest first.
        side: of the square input, pixels.
        box_weight: of the boxes' loss.
    """
    batch = tf.shape(targets)[0]
    logits = tf.concat([tf.reshape(answer, (batch, -1)) for answer in answers[::2]], axis=1)  # (B, cells)
    logs = tf.concat([tf.reshape(answer, (batch, -1, SIDES)) for answer in answers[1::2]], axis=1)  # (B, cells, 4)
    is_face = tf.cast(targets[..., 0] > 0.5, tf.float32)
    is_counted = tf.cast(targets[..., 0] > -0.5, tf.float32)
    overlap, generalized = _overlaps(_boxes(logs, side), targets[..., 1:])
    quality = tf.stop_gradient(overlap) * is_face
    faces = tf.maximum(tf.reduce_sum(is_face), 1.0)
    scores = tf.reduce_sum(_varifocal(logits, quality, is_face) * is_counted) / faces
    boxes = tf.reduce_sum((1.0 - generalized) * is_face) / faces
    return scores + box_weight * boxes


def _varifocal(logits: tf.Tensor, quality: tf.Tensor, is_face: tf.Tensor) -> tf.Tensor:
    """Cross entropy with the quality; background that is already sure counts little.

    Two things differ from the published loss: cells of faces weigh 1, where it weighs them by their quality, so that a
    face whose box is still bad counts as much as any other; and the background's factor, 0.75 x score^2 as published,
    passes no gradient here.
    """
    entropy = tf.nn.sigmoid_cross_entropy_with_logits(quality, logits)
    background = _BACKGROUND_WEIGHT * tf.stop_gradient(tf.sigmoid(logits)) ** _FOCUS
    return entropy * (is_face + (1.0 - is_face) * background)


def _boxes(logs: tf.Tensor, side: int) -> tf.Tensor:
    """Decode all cells: (B, cells, 4) logarithms -> (B, cells, 4) x0, y0, x1, y1."""
    middles, strides = _grid(side)
    distances = tf.exp(tf.clip_by_value(logs, -MAX_LOG, MAX_LOG)) * strides[:, np.newaxis]
    return tf.concat([middles - distances[..., :2], middles + distances[..., 2:]], axis=-1)


def _grid(side: int) -> tuple[np.ndarray, np.ndarray]:
    """Middles (cells, 2) and strides (cells,) in the order of the targets."""
    middles, strides = [], []
    for stride in STRIDES:
        axis = cell_middle(np.arange(side // stride), stride)
        x, y = np.meshgrid(axis, axis)
        middles.append(np.stack([x.ravel(), y.ravel()], axis=1))
        strides.append(np.full(x.size, stride, np.float32))
    return np.concatenate(middles), np.concatenate(strides)


def _overlaps(found: tf.Tensor, truth: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """IoU and generalised IoU of (B, cells, 4) boxes, one by one."""
    shared = _area(tf.maximum(found[..., :2], truth[..., :2]), tf.minimum(found[..., 2:], truth[..., 2:]))
    around = _area(tf.minimum(found[..., :2], truth[..., :2]), tf.maximum(found[..., 2:], truth[..., 2:]))
    union = _area(found[..., :2], found[..., 2:]) + _area(truth[..., :2], truth[..., 2:]) - shared
    overlap = shared / (union + _TINY)
    return overlap, overlap - (around - union) / (around + _TINY)


def _area(low: tf.Tensor, high: tf.Tensor) -> tf.Tensor:
    return tf.reduce_prod(tf.nn.relu(high - low), axis=-1)
