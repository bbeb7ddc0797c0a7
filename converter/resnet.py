"""Two residual networks from one description: early pooling, no large dense layer.

Source: K. He, X. Zhang, S. Ren, J. Sun, "Deep Residual Learning for Image Recognition", CVPR 2016.
Only operators that the Edge TPU maps: CONV_2D, ADD, MAX_POOL_2D, MEAN, FULLY_CONNECTED.
"""

from __future__ import annotations

import keras
from keras import KerasTensor as Tensor
from keras import layers

from converter.recipe import Model
from edge_runtime.contract import INPUT_SIZE_PX

_BOTTLENECK_RATIO = 4


def build(model: Model, outputs: int) -> keras.Model:
    """Build an untrained net: (N, 96, 96, 1) in [0, 1] -> (N, outputs), real numbers without activation."""
    picture = keras.Input((INPUT_SIZE_PX, INPUT_SIZE_PX, 1), name="face")
    x = _convolution(picture, model.stem_filters, model.stem_kernel, stride=2)  # (N, 48, 48, stem)
    x = layers.ReLU()(x)
    x = layers.MaxPooling2D(2)(x)  # (N, 24, 24, stem): small nets are bound by activations, so pool early
    block = _basic_block if model.block == "basic" else _bottleneck_block
    for index, stage in enumerate(model.stages):
        for repeat in range(stage.blocks):
            x = block(x, stage.filters, stride=2 if repeat == 0 and index > 0 else 1)
    x = _mean_head(x) if model.head == "mean" else _spatial_head(x, model.head_filters)
    if model.dropout > 0:
        x = layers.Dropout(model.dropout)(x)
    answer = layers.Dense(outputs, name="answer")(x)
    return keras.Model(picture, answer)


def _convolution(x: Tensor, filters: int, kernel: int, *, stride: int = 1) -> Tensor:
    """Convolve and normalise; the converter folds the normalisation into the convolution."""
    x = layers.Conv2D(filters, kernel, strides=stride, padding="same", use_bias=False, kernel_initializer="he_normal")(
        x
    )
    return layers.BatchNormalization(momentum=0.9)(x)


def _basic_block(x: Tensor, filters: int, *, stride: int) -> Tensor:
    y = layers.ReLU()(_convolution(x, filters, 3, stride=stride))
    y = _convolution(y, filters, 3)
    return layers.ReLU()(layers.Add()([_shortcut(x, filters, stride), y]))


def _bottleneck_block(x: Tensor, filters: int, *, stride: int) -> Tensor:
    narrow = max(filters // _BOTTLENECK_RATIO, 1)
    y = layers.ReLU()(_convolution(x, narrow, 1))
    y = layers.ReLU()(_convolution(y, narrow, 3, stride=stride))
    y = _convolution(y, filters, 1)
    return layers.ReLU()(layers.Add()([_shortcut(x, filters, stride), y]))


def _shortcut(x: Tensor, filters: int, stride: int) -> Tensor:
    if stride == 1 and x.shape[-1] == filters:
        return x
    return _convolution(x, filters, 1, stride=stride)


def _mean_head(x: Tensor) -> Tensor:
    return layers.GlobalAveragePooling2D()(x)


def _spatial_head(x: Tensor, filters: int) -> Tensor:
    x = layers.ReLU()(_convolution(x, filters, 1))
    return layers.Flatten()(x)
