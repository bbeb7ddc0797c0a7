"""Gives an untrained net the weights of a bundle's int8 net, so that a training can go on from what was shipped.

A .tflite has no normalisation any more: the converter folded it into the convolutions, and stripped the layers' names.
Which constant belongs to which layer is found by converting the untrained net too: operators of one shape come in the
same order there, and its weights are told apart by their values.
"""

from __future__ import annotations

from dataclasses import dataclass

import keras
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray

from converter.errors import RecipeError
from converter.quantize import to_float_tflite
from edge_runtime.bundle import Bundle
from edge_runtime.interpreter import open_interpreter
from edge_runtime.preprocess import fit_into
from edge_runtime.quantization import quantize_pixels

Array = NDArray[np.float32]

_WEIGHED = (schema.BuiltinOperator.CONV_2D, schema.BuiltinOperator.FULLY_CONNECTED)
_BIAS = 2
"""Place of the bias among an operator's inputs."""

_LEAST_CORRELATION = 0.9
"""Of outputs, the median picture. Measured on training pictures: 0.99 and more; on drawn ones, which no net has seen,
from 0.95."""

_JUDGES = 16


@dataclass(frozen=True, eq=False)
class _Weights:
    """Constants of one operator, as real numbers."""

    kernel: Array
    """(outputs, h, w, inputs) of a convolution, (outputs, inputs) of a dense layer."""
    bias: Array


def take_bundle_weights(net: keras.Model, bundle: Bundle, pictures: NDArray[np.uint8]) -> None:
    """Make a float net answer as a bundle's int8 net does.

    Args:
        net: untrained, of the architecture of the bundle's net; its arithmetic must be float32.
        bundle: whose weights are taken.
        pictures: (N, h, w) training pictures, from which each normalisation takes its statistics. The answers do not
            depend on them; the next training step does.

    Raises:
        RecipeError: the bundle is of another architecture, or the net does not answer as the bundle does afterwards.
    """
    norm_of = _identity_norms(net)
    _make_distinct(net)
    named = [_named(net, weights.kernel) for weights in _weights(_to_tflite(net, pictures.shape[1:]))]
    taken = _weights(bundle.model)
    _refuse_other_shapes(bundle, named, taken)
    for layer in named:
        # A shortcut may come before or after the block that it passes by; what has one shape comes in one order.
        shape = _stored_form(layer.kernel.numpy()).shape
        weights = taken.pop(next(place for place, each in enumerate(taken) if each.kernel.shape == shape))
        layer.kernel.assign(_keras_form(weights.kernel))
        follower = norm_of.get(id(layer))
        (follower.beta if follower else layer.bias).assign(weights.bias)
    _take_statistics(net, list(norm_of.values()), pictures)
    _check_alike(net, bundle, pictures[:_JUDGES])


def _refuse_other_shapes(bundle: Bundle, layers: list[keras.Layer], taken: list[_Weights]) -> None:
    expected = sorted(_stored_form(layer.kernel.numpy()).shape for layer in layers)
    found = sorted(weights.kernel.shape for weights in taken)
    if found != expected:
        raise RecipeError(f"{bundle.path}: expected weights of the shapes {expected} for this recipe, found {found}")


def _make_distinct(net: keras.Model) -> None:
    """Layers that start from zeros could not be told apart by their values."""
    rng = np.random.default_rng(0)
    for layer in net.layers:
        if hasattr(layer, "kernel") and not np.any(layer.kernel.numpy()):
            layer.kernel.assign(rng.normal(size=layer.kernel.shape))


def _identity_norms(net: keras.Model) -> dict[int, keras.layers.BatchNormalization]:
    """Let every normalisation hand on its input; return each by the identity of the convolution before it."""
    source = {id(layer.output): layer for layer in net.layers if isinstance(layer, keras.layers.Conv2D)}
    norms = {}
    for layer in net.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            _set_statistics(layer, np.zeros(layer.gamma.shape), np.ones(layer.gamma.shape))
            norms[id(source[id(layer.input)])] = layer
    return norms


def _set_statistics(norm: keras.layers.BatchNormalization, mean: Array, variance: Array) -> None:
    """Change what is subtracted and divided by, and give it back through scale and offset."""
    norm.beta.assign(norm.beta + norm.gamma * (mean - norm.moving_mean) / np.sqrt(norm.moving_variance + norm.epsilon))
    norm.gamma.assign(np.sqrt(variance + norm.epsilon))
    norm.moving_mean.assign(mean)
    norm.moving_variance.assign(variance)


def _take_statistics(
    net: keras.Model, norms: list[keras.layers.BatchNormalization], pictures: NDArray[np.uint8]
) -> None:
    seen = _answers(keras.Model(net.input, [norm.input for norm in norms]), pictures)
    for norm, values in zip(norms, seen, strict=True):
        _set_statistics(norm, values.mean(axis=(0, 1, 2)), values.var(axis=(0, 1, 2)))


def _to_tflite(net: keras.Model, size: tuple[int, ...]) -> bytes:
    picture = keras.Input(batch_shape=(1, *size, 1))
    return to_float_tflite(keras.Model(picture, net(picture, training=False)))


def _answers(net: keras.Model, pictures: NDArray[np.uint8]) -> list[Array]:
    answers = net(pictures[..., np.newaxis].astype(np.float32) / 255.0, training=False)
    return [np.asarray(each) for each in (answers if isinstance(answers, list) else [answers])]


def _weights(model: bytes) -> list[_Weights]:
    """Read what every convolution and dense layer multiplies with and adds, in the order of execution."""
    root = schema.Model.GetRootAs(model, 0)
    graph = root.Subgraphs(0)
    weights = []
    for index in range(graph.OperatorsLength()):
        operator = graph.Operators(index)
        code = root.OperatorCodes(operator.OpcodeIndex())
        if max(code.BuiltinCode(), code.DeprecatedBuiltinCode()) in _WEIGHED:
            kernel = _constant(root, graph.Tensors(operator.Inputs(1)))
            has_bias = operator.InputsLength() > _BIAS and operator.Inputs(_BIAS) >= 0  # the converter drops zeros
            bias = _constant(root, graph.Tensors(operator.Inputs(_BIAS))) if has_bias else np.zeros(len(kernel))
            weights.append(_Weights(kernel, np.asarray(bias, np.float32)))
    return weights


def _constant(root: schema.Model, tensor: schema.Tensor) -> Array:
    kinds = {schema.TensorType.FLOAT32: np.float32, schema.TensorType.INT8: np.int8, schema.TensorType.INT32: np.int32}
    stored = np.frombuffer(root.Buffers(tensor.Buffer()).DataAsNumpy().tobytes(), kinds[tensor.Type()])
    shaped = stored.reshape(tensor.ShapeAsNumpy()).astype(np.float32)
    if tensor.Type() == schema.TensorType.FLOAT32:
        return shaped
    # One scale, or one for every output, which is the first axis. Weights and biases are stored around 0.
    scale = tensor.Quantization().ScaleAsNumpy().reshape(-1, *(1,) * (shaped.ndim - 1))
    return np.asarray(shaped * scale, np.float32)


def _stored_form(kernel: Array) -> Array:
    """(h, w, inputs, outputs) -> (outputs, h, w, inputs); (inputs, outputs) -> (outputs, inputs)."""
    return np.moveaxis(kernel, -1, 0)


def _keras_form(kernel: Array) -> Array:
    return np.moveaxis(kernel, 0, -1)


def _named(net: keras.Model, kernel: Array) -> keras.Layer:
    """Find the layer whose untrained weights these are."""
    layers = [layer for layer in net.layers if hasattr(layer, "kernel")]
    alike = [layer for layer in layers if _stored_form(layer.kernel.numpy()).shape == kernel.shape]
    return min(alike, key=lambda layer: float(np.abs(_stored_form(layer.kernel.numpy()) - kernel).max()))


def _check_alike(net: keras.Model, bundle: Bundle, pictures: NDArray[np.uint8]) -> None:
    interpreter = open_interpreter(bundle.model)
    _, height, width, _ = interpreter.input_shape
    fitted = np.stack([fit_into(picture, (height, width))[0] for picture in pictures])
    stored = zip(*(interpreter.invoke(quantize_pixels(picture)) for picture in fitted), strict=True)
    told = {output[0].shape: np.concatenate(output) for output in stored}  # no two outputs of a net have one shape
    for answer in _answers(net, fitted):
        same = told[(1, *answer.shape[1:])]
        # Of single pictures some leave the range that the int8 net was calibrated for: nearly blank ones do.
        alike = float(np.median([_correlation(*pair) for pair in zip(same, answer, strict=True)]))
        if not alike >= _LEAST_CORRELATION:
            raise RecipeError(
                f"{bundle.path}: an output {answer.shape[1:]} of the float net correlates by {alike:.3f} with the "
                f"bundle's, expected at least {_LEAST_CORRELATION}; was the bundle made by a recipe with another net?"
            )


def _correlation(a: NDArray[np.int8], b: Array) -> float:
    return float(np.corrcoef(a.astype(np.float32).ravel(), b.ravel())[0, 1])
