"""The faces net: a deeper one starts where a trained one ended."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from converter.faces.net import build
from converter.recipe import Model, Stage
from converter.resnet import grow


def model(*blocks: int) -> Model:
    stages = tuple(Stage(filters=8, blocks=count) for count in blocks)
    return Model(stem_filters=8, stem_kernel=4, stages=stages, head="pyramid", head_filters=8)


def test_a_grown_net_answers_nearly_as_the_smaller_one_and_learns_in_its_new_blocks() -> None:
    smaller, larger = build(model(1, 1, 1, 1)), build(model(2, 1, 1, 1))
    pictures = np.random.default_rng(3).random((2, 64, 64, 1), np.float32)

    grow(larger, smaller)

    for answer, before in zip(larger(pictures), smaller(pictures), strict=True):
        np.testing.assert_allclose(answer, before, atol=0.1)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(larger(pictures, training=True)[0] ** 2)
    scale = larger.get_layer("stage0_block1_out_norm").gamma.value
    assert np.abs(tape.gradient(loss, scale)).max() > 0
