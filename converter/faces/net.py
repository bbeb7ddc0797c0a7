"""The faces net: a small residual pyramid, fully convolutional, without anchors.

Sources: Z. Tian and others, "FCOS", ICCV 2019 (a score and four distances per cell); T.-Y. Lin and others, "Feature
pyramid networks", CVPR 2017. Only operators that the Edge TPU maps: CONV_2D, ADD, RESIZE_NEAREST_NEIGHBOR.
"""

from __future__ import annotations

import math

import keras
import tensorflow as tf
from keras import KerasTensor as Tensor
from keras import layers

from converter.recipe import Model, Stage

STRIDES = (8, 16, 32)
"""Cells of the three levels, pixels of the input."""

LARGEST_STRIDE = STRIDES[-1]
_NARROWER = 2
_PRIOR = 0.01
"""Score of every cell before training: nearly all are background."""


def build(model: Model) -> keras.Model:
    """Build an untrained net for pictures whose sides are multiples of 32.

    Args:
        model: the stem has stride 4 in two steps, as the first stage; the others have 8, 16 and 32. head_filters is
            the pyramid's width.

    Returns:
        (N, h, w, 1) in [0, 1] -> for each stride, finest first: (N, h', w', 1) score logits and (N, h', w', 4)
        logarithms of distances in strides (left, top, right, bottom).
    """
    picture = keras.Input((None, None, 1), name="picture")
    # Even kernels on even sides keep every cell's view centred on the cell; odd ones would shift it by half a step
    # per level. Few filters at stride 2, since training is bound by activations at high resolution.
    x = _convolution(picture, model.stem_filters // _NARROWER, model.stem_kernel, "stem_first", stride=2)
    x = _convolution(x, model.stem_filters, 2, "stem_second", stride=2)
    levels = []
    for index, stage in enumerate(model.stages):
        x = _stage(x, stage, f"stage{index}", halve=index > 0)
        levels.append(x)
    return keras.Model(picture, _heads(_pyramid(levels[1:], model.head_filters), model.head_filters))


def _convolution(x: Tensor, filters: int, kernel: int, name: str, *, stride: int = 1) -> Tensor:
    convolution = layers.Conv2D(
        filters, kernel, strides=stride, padding="same", use_bias=False, kernel_initializer="he_normal", name=name
    )
    return layers.ReLU()(layers.BatchNormalization(momentum=0.95, name=f"{name}_norm")(convolution(x)))


def _stage(x: Tensor, stage: Stage, name: str, *, halve: bool) -> Tensor:
    """Halve height and width or only change the filters, then add residual blocks."""
    if halve:
        x = _convolution(x, stage.filters, 2, f"{name}_halve", stride=2)
    elif x.shape[-1] != stage.filters:
        x = _convolution(x, stage.filters, 1, f"{name}_widen")
    for repeat in range(stage.blocks):
        block = f"{name}_block{repeat}"
        narrow = _convolution(x, stage.filters // _NARROWER, 1, f"{block}_in")
        narrow = _convolution(narrow, stage.filters // _NARROWER, 3, f"{block}_middle")
        x = layers.Add()([x, _convolution(narrow, stage.filters, 1, f"{block}_out")])
    return x


class Doubled(layers.Layer):
    """Repeats every cell twice along both axes.

    Keras' own layer becomes TILE, which the Edge TPU does not have; this becomes RESIZE_NEAREST_NEIGHBOR.
    """

    def call(self, cells: Tensor) -> Tensor:
        """(N, h, w, C) -> (N, 2 h, 2 w, C)."""
        size = [2 * (known or dynamic) for known, dynamic in zip(cells.shape[1:3], _sides(cells), strict=True)]
        return tf.image.resize(cells, size, method="nearest")

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Double what is known."""
        count, height, width, filters = input_shape
        return count, height and 2 * height, width and 2 * width, filters


def _sides(cells: Tensor) -> list[Tensor]:
    return list(tf.unstack(tf.shape(cells)[1:3]))


def _pyramid(levels: list[Tensor], width: int) -> list[Tensor]:
    """Give every level what the coarser ones see."""
    merged = [_convolution(levels[-1], width, 1, f"level_{STRIDES[-1]}")]
    for stride, level in zip(reversed(STRIDES[:-1]), reversed(levels[:-1]), strict=True):
        coarser = Doubled()(merged[0])
        merged.insert(0, layers.Add()([_convolution(level, width, 1, f"level_{stride}"), coarser]))
    return merged


def _heads(levels: list[Tensor], width: int) -> list[Tensor]:
    """Answer scores and distances per level; each level has weights of its own, since each sees other sizes."""
    prior = keras.initializers.Constant(math.log(_PRIOR / (1 - _PRIOR)))
    outputs = []
    for stride, level in zip(STRIDES, levels, strict=True):
        x = _convolution(level, width, 3, f"head_{stride}")
        outputs.append(layers.Conv2D(1, 1, bias_initializer=prior, dtype="float32", name=f"score_{stride}")(x))
        outputs.append(layers.Conv2D(4, 1, dtype="float32", name=f"distances_{stride}")(x))
    return outputs
