"""The residual nets: a deeper one starts where a trained one ended."""

from __future__ import annotations

from typing import Literal

import msgspec
import numpy as np
import pytest

from converter.errors import RecipeError
from converter.recipe import Model, Stage
from converter.resnet import build, grow


def model(*blocks: int, filters: int = 8) -> Model:
    stages = tuple(Stage(filters=filters << index, blocks=count) for index, count in enumerate(blocks))
    return Model(stem_filters=8, stages=stages)


def faces() -> np.ndarray:
    return np.random.default_rng(3).random((4, 96, 96, 1), np.float32)


@pytest.mark.parametrize("block", ["basic", "bottleneck"])
def test_a_grown_net_answers_as_the_smaller_one(block: str) -> None:
    smaller_model, larger_model = model(1, 1), model(2, 3)
    if block == "bottleneck":
        smaller_model, larger_model = (
            Model(stem_filters=8, block="bottleneck", stages=each.stages) for each in (smaller_model, larger_model)
        )
    smaller, larger = build(smaller_model, 7), build(larger_model, 7)

    grow(larger, smaller)

    np.testing.assert_allclose(larger(faces()), smaller(faces()), atol=1e-5)
    assert larger.count_params() > smaller.count_params()


def test_a_grown_net_has_gradients_in_its_new_blocks() -> None:
    import tensorflow as tf

    smaller, larger = build(model(1, 1), 7), build(model(2, 2), 7)
    grow(larger, smaller)

    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(larger(faces(), training=True) ** 2)
    scale = larger.get_layer("stage1_block1_out_norm").gamma.value

    assert np.abs(tape.gradient(loss, scale)).max() > 0


def test_weighed_channels_change_nothing_at_first_and_can_be_learnt() -> None:
    import tensorflow as tf

    plain, weighed = build(model(1, 1), 7), build(msgspec.structs.replace(model(1, 1), squeeze=2), 7)
    grow(weighed, plain)

    np.testing.assert_allclose(weighed(faces()), plain(faces()), atol=1e-5)
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(weighed(faces(), training=True) ** 2)
    assert np.abs(tape.gradient(loss, weighed.get_layer("stage1_block0_excite").kernel.value)).max() > 0


def test_layers_of_another_shape_are_named() -> None:
    smaller, larger = build(model(1, 1, filters=4), 7), build(model(2, 2), 7)

    with pytest.raises(RecipeError, match="layer stage0_block0_in: expected weights"):
        grow(larger, smaller)


@pytest.mark.parametrize(("after_stem", "side"), [("pool", 24), ("keep", 48)])
def test_the_first_stage_works_at_the_size_that_is_asked_for(after_stem: Literal["pool", "keep"], side: int) -> None:
    net = build(Model(stem_filters=8, after_stem=after_stem, stages=model(1, 1).stages), 7)

    assert net.get_layer("stage0_block0_out").output.shape[1:3] == (side, side)
    assert net.get_layer("stage1_block0_out").output.shape[1:3] == (side // 2, side // 2)
