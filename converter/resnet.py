"""Two residual networks from one description, without a large dense layer.

Sources: K. He, X. Zhang, S. Ren, J. Sun, "Deep Residual Learning for Image Recognition", CVPR 2016; J. Hu, L. Shen,
G. Sun, "Squeeze-and-Excitation Networks", CVPR 2018.
Only operators that the Edge TPU maps: CONV_2D, ADD, MAX_POOL_2D, MEAN, LOGISTIC, MUL, FULLY_CONNECTED.
"""

from __future__ import annotations

import keras
from keras import KerasTensor as Tensor
from keras import layers

from converter.errors import RecipeError
from converter.recipe import Model
from edge_runtime.contract import INPUT_SIZE_PX

_BOTTLENECK_RATIO = 4
_LAST = "out"
_LEAST_SQUEEZED = 4
_AWAKE = 0.01


def build(model: Model, outputs: int) -> keras.Model:
    """Build an untrained net: (N, 96, 96, 1) in [0, 1] -> (N, outputs), real numbers without activation."""
    picture = keras.Input((INPUT_SIZE_PX, INPUT_SIZE_PX, 1), name="face")
    x = _convolution(picture, model.stem_filters, model.stem_kernel, "stem", stride=2)  # (N, 48, 48, stem)
    x = layers.ReLU()(x)
    if model.after_stem == "pool":
        x = layers.MaxPooling2D(2)(x)  # (N, 24, 24, stem): small nets are bound by activations
    for index, stage in enumerate(model.stages):
        for repeat in range(stage.blocks):
            name = f"stage{index}_block{repeat}"
            x = _block(x, model, stage.filters, name, stride=2 if repeat == 0 and index > 0 else 1)
    x = _mean_head(x) if model.head == "mean" else _spatial_head(x, model.head_filters)
    if model.dropout > 0:
        x = layers.Dropout(model.dropout)(x)
    answer = layers.Dense(outputs, dtype="float32", name="answer")(x)
    return keras.Model(picture, answer)


def _convolution(x: Tensor, filters: int, kernel: int, name: str, *, stride: int = 1) -> Tensor:
    """Convolve and normalise; the converter folds the normalisation into the convolution."""
    convolution = layers.Conv2D(
        filters, kernel, strides=stride, padding="same", use_bias=False, kernel_initializer="he_normal", name=name
    )
    return layers.BatchNormalization(momentum=0.9, name=f"{name}_norm")(convolution(x))


def _block(x: Tensor, model: Model, filters: int, name: str, *, stride: int) -> Tensor:
    if model.block == "bottleneck":
        return _bottleneck_block(x, filters, name, stride=stride)
    return _basic_block(x, filters, name, stride=stride, squeeze=model.squeeze)


def _basic_block(x: Tensor, filters: int, name: str, *, stride: int, squeeze: int) -> Tensor:
    y = layers.ReLU()(_convolution(x, filters, 3, f"{name}_in", stride=stride))
    y = _convolution(y, filters, 3, f"{name}_{_LAST}")
    if squeeze > 0:
        y = _weighed(y, max(filters // squeeze, _LEAST_SQUEEZED), name)
    return layers.ReLU()(layers.Add()([_shortcut(x, filters, name, stride), y]))


def _weighed(y: Tensor, narrow: int, name: str) -> Tensor:
    """Multiply every channel by a factor from 0 to 2 that depends on all of them; at first by 1."""
    filters = y.shape[-1]
    z = layers.GlobalAveragePooling2D()(y)  # (N, filters)
    z = layers.Dense(narrow, activation="relu", kernel_initializer="he_normal", name=f"{name}_squeeze")(z)
    z = layers.Dense(filters, activation="sigmoid", kernel_initializer="zeros", name=f"{name}_excite")(z)
    return layers.Multiply()([y, layers.Reshape((1, 1, filters))(2.0 * z)])


def _bottleneck_block(x: Tensor, filters: int, name: str, *, stride: int) -> Tensor:
    narrow = max(filters // _BOTTLENECK_RATIO, 1)
    y = layers.ReLU()(_convolution(x, narrow, 1, f"{name}_in"))
    y = layers.ReLU()(_convolution(y, narrow, 3, f"{name}_middle", stride=stride))
    y = _convolution(y, filters, 1, f"{name}_{_LAST}")
    return layers.ReLU()(layers.Add()([_shortcut(x, filters, name, stride), y]))


def _shortcut(x: Tensor, filters: int, name: str, stride: int) -> Tensor:
    if stride == 1 and x.shape[-1] == filters:
        return x
    return _convolution(x, filters, 1, f"{name}_shortcut", stride=stride)


def _mean_head(x: Tensor) -> Tensor:
    return layers.GlobalAveragePooling2D()(x)


def _spatial_head(x: Tensor, filters: int) -> Tensor:
    x = layers.ReLU()(_convolution(x, filters, 1, "head"))
    return layers.Flatten()(x)


def grow(net: keras.Model, smaller: keras.Model) -> None:
    """Start a deeper net where a trained one ended: blocks that the smaller net lacks change nothing at first.

    Source: T. Chen, I. Goodfellow, J. Shlens, "Net2Net", ICLR 2016. A new block's last normalisation is scaled by 0, so
    the block hands on its (never negative) input. Where a ReLU follows right after, as in the faces net, it is moved a
    little above 0: at 0 that would pass no gradient, and the block would never learn.

    Raises:
        RecipeError: a layer of both has another shape.
    """
    trained = {layer.name: layer for layer in smaller.layers if layer.weights}
    for layer in net.layers:
        if layer.name in trained:
            _copy(layer, trained[layer.name])
        elif layer.name.endswith(f"_{_LAST}_norm"):
            layer.gamma.assign(keras.ops.zeros_like(layer.gamma))
            if any(isinstance(node.operation, layers.ReLU) for node in layer._outbound_nodes):  # noqa: SLF001
                layer.beta.assign(keras.ops.full_like(layer.beta, _AWAKE))


def _copy(layer: keras.Layer, trained: keras.Layer) -> None:
    found = [tuple(weight.shape) for weight in trained.weights]
    expected = [tuple(weight.shape) for weight in layer.weights]
    if found != expected:
        raise RecipeError(f"layer {layer.name}: expected weights {expected} in the run to start from, found {found}")
    layer.set_weights(trained.get_weights())
