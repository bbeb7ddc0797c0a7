"""A float net takes the weights of an int8 one and answers as it does."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("tensorflow", reason="the trainer needs TensorFlow")

import keras
import msgspec

from converter.bundle_weights import take_bundle_weights
from converter.errors import RecipeError
from converter.faces.net import build as build_faces
from converter.recipe import Model, Recipe, Stage
from converter.resnet import build
from edge_runtime.bundle import Bundle, builtin_bundle_path, load_bundle
from edge_runtime.contract import KEYPOINT_COUNT, ModelKind
from edge_runtime.interpreter import open_interpreter
from edge_runtime.quantization import quantize_pixels

pytestmark = pytest.mark.train


def shipped(kind: ModelKind) -> Bundle:
    return load_bundle(builtin_bundle_path(kind))


def untrained(bundle: Bundle) -> keras.Model:
    """Build what the bundle's own recipe describes."""
    recipe = msgspec.convert(bundle.manifest.recipe, Recipe)
    return build_faces(recipe.model) if recipe.kind == "faces" else build(recipe.model, bundle.manifest.output.shape[1])


def drawn(bundle: Bundle) -> NDArray[np.uint8]:
    """Take the pictures of the bundle's self-test."""
    return bundle.golden()["inputs"].astype(np.uint8)


def answers(net: keras.Model, pictures: NDArray[np.uint8], *, training: bool) -> list[NDArray[np.float32]]:
    told = net(pictures[..., np.newaxis].astype(np.float32) / 255.0, training=training)
    return [np.asarray(each) for each in (told if isinstance(told, list) else [told])]


@pytest.mark.parametrize("kind", ["emotion", "keypoints"])
def test_the_float_net_answers_as_the_bundle(kind: ModelKind) -> None:
    bundle = shipped(kind)
    net, pictures = untrained(bundle), drawn(bundle)

    take_bundle_weights(net, bundle, pictures)

    interpreter = open_interpreter(bundle.model)
    stored = np.concatenate([interpreter.invoke(quantize_pixels(picture))[0] for picture in pictures])
    real = interpreter.output_quantizations[0].dequantize(stored)
    (found,) = answers(net, pictures, training=False)
    assert np.abs(found - real).mean() < 0.1 * real.std()


def test_a_training_step_sees_what_the_bundle_saw() -> None:
    bundle = shipped("faces")
    net, pictures = untrained(bundle), drawn(bundle)

    take_bundle_weights(net, bundle, pictures)

    for still, stepping in zip(
        answers(net, pictures, training=False), answers(net, pictures, training=True), strict=True
    ):
        np.testing.assert_allclose(stepping, still, atol=0.02 * float(np.abs(still).max()))


def test_pictures_that_show_nothing_do_not_make_a_bundle_look_strange() -> None:
    bundle = shipped("faces")
    net, pictures = untrained(bundle), drawn(bundle)
    blank = np.stack([np.full(pictures.shape[1:], level, np.uint8) for level in (0, 128, 255)])

    take_bundle_weights(net, bundle, np.concatenate([pictures, blank]))

    assert all(np.isfinite(answer).all() for answer in answers(net, pictures, training=False))


def test_a_net_of_another_recipe_is_refused() -> None:
    bundle = shipped("keypoints")
    other = build(Model(stages=(Stage(filters=8, blocks=1),), head="spatial"), 2 * KEYPOINT_COUNT)

    with pytest.raises(RecipeError, match=r"expected weights of the shapes .* for this recipe, found"):
        take_bundle_weights(other, bundle, drawn(bundle))
