"""Models of a few hundred bytes, written with the TFLite schema itself: no TensorFlow, every answer computed by hand.

picture (1, 96, 96, 1) -> mean of each 48 x 48 quarter (1, 2, 2, 1) -> dense (1, outputs)
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_runtime.contract import INPUT_SCALE, INPUT_SIZE_PX, INPUT_ZERO_POINT

# Their own annotations are incomplete: Any inside this file.
_flatbuffers: Any = importlib.import_module("flatbuffers")
_schema: Any = importlib.import_module("ai_edge_litert.schema_py_generated")

QUARTERS = 4
STEPS_PER_OUTPUT = 64
"""The dense layer divides its sum by this: a power of two, so that the answer is exact."""

OUTPUT_SCALE = 0.25
OUTPUT_ZERO_POINT = 3
WEIGHT_SCALE = OUTPUT_SCALE * 255.0 / STEPS_PER_OUTPUT


@dataclass(frozen=True)
class TinyModel:
    """What a test may vary. Defaults: all that this runtime asks for, with five outputs."""

    weights: NDArray[np.int8] = field(
        default_factory=lambda: np.array(
            [[8, 0, 0, 0], [0, 8, 0, 0], [0, 0, 8, 0], [0, 0, 0, 8], [-4, -4, 4, 4]], np.int8
        )
    )
    """(outputs, 4): weight of the mean of the upper left, upper right, lower left and lower right quarter."""

    dtype: str = "INT8"
    """Of input and output: INT8, UINT8 or FLOAT32."""
    input_scale: float = INPUT_SCALE
    input_zero_point: int = INPUT_ZERO_POINT
    batch: int = 1
    second_input: bool = False

    def answer(self, picture: NDArray[np.uint8]) -> NDArray[np.int8]:
        """(96, 96) uint8 -> (1, outputs) int8, by hand; the means of the quarters must be whole numbers."""
        half = INPUT_SIZE_PX // 2
        means = picture.reshape(2, half, 2, half).mean(axis=(1, 3)).reshape(QUARTERS)
        assert np.array_equal(means, np.rint(means)), "choose a picture whose quarters have whole means"
        steps = self.weights.astype(np.int64) @ means / STEPS_PER_OUTPUT
        assert not np.any(np.abs(steps % 1 - 0.5) < 1e-9), "choose a picture that gives no tie"
        stored = np.clip(np.rint(steps) + OUTPUT_ZERO_POINT, -128, 127)
        return np.asarray(stored, np.int8)[np.newaxis]

    def to_bytes(self) -> bytes:
        """Write the .tflite."""
        graph = _schema.SubGraphT()
        graph.name = "main"
        graph.tensors = [self._input(), self._pooled(), self._weights(), self._bias(), self._output()]
        graph.operators = [_pool(), _dense()] if self.dtype == "INT8" else [_pool()]
        graph.inputs, graph.outputs = [0], [4 if self.dtype == "INT8" else 1]
        if self.second_input:
            graph.tensors.append(self._input())
            graph.inputs.append(5)
        model = _schema.ModelT()
        model.version, model.description = 3, "tiny"
        model.operatorCodes = [_code("AVERAGE_POOL_2D", 2), _code("FULLY_CONNECTED", 4)]
        model.subgraphs = [graph]
        model.buffers = [_buffer(None), _buffer(self.weights.tobytes()), _buffer(bytes(4 * len(self.weights)))]
        builder = _flatbuffers.Builder(4096)
        builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
        return bytes(builder.Output())

    def _input(self) -> Any:  # noqa: ANN401
        shape = (self.batch, INPUT_SIZE_PX, INPUT_SIZE_PX, 1)
        return self._tensor("picture", shape, self.input_scale, self.input_zero_point)

    def _pooled(self) -> Any:  # noqa: ANN401
        return self._tensor("quarters", (self.batch, 2, 2, 1), self.input_scale, self.input_zero_point)

    def _output(self) -> Any:  # noqa: ANN401
        return self._tensor("answer", (self.batch, len(self.weights)), OUTPUT_SCALE, OUTPUT_ZERO_POINT)

    def _weights(self) -> Any:  # noqa: ANN401
        tensor = _tensor("weights", self.weights.shape, "INT8", WEIGHT_SCALE, 0)
        tensor.buffer = 1
        return tensor

    def _bias(self) -> Any:  # noqa: ANN401
        tensor = _tensor("bias", (len(self.weights),), "INT32", self.input_scale * WEIGHT_SCALE, 0)
        tensor.buffer = 2
        return tensor

    def _tensor(self, name: str, shape: tuple[int, ...], scale: float, zero_point: int) -> Any:  # noqa: ANN401
        return _tensor(name, shape, self.dtype, scale, zero_point)


def quarters(upper_left: int, upper_right: int, lower_left: int, lower_right: int) -> NDArray[np.uint8]:
    """Draw a (96, 96) picture of four flat quarters."""
    half = INPUT_SIZE_PX // 2
    corners = np.array([[upper_left, upper_right], [lower_left, lower_right]], np.uint8)
    return np.asarray(corners.repeat(half, axis=0).repeat(half, axis=1))


def _tensor(name: str, shape: tuple[int, ...], dtype: str, scale: float, zero_point: int) -> Any:  # noqa: ANN401
    tensor = _schema.TensorT()
    tensor.name, tensor.shape, tensor.buffer = name, list(shape), 0
    tensor.type = getattr(_schema.TensorType, dtype)
    if dtype != "FLOAT32":
        tensor.quantization = _schema.QuantizationParametersT()
        tensor.quantization.scale, tensor.quantization.zeroPoint = [scale], [zero_point]
    return tensor


def _pool() -> Any:  # noqa: ANN401
    operator = _schema.OperatorT()
    operator.opcodeIndex, operator.inputs, operator.outputs = 0, [0], [1]
    operator.builtinOptionsType = _schema.BuiltinOptions.Pool2DOptions
    options = operator.builtinOptions = _schema.Pool2DOptionsT()
    options.padding = _schema.Padding.VALID
    options.strideW = options.strideH = options.filterWidth = options.filterHeight = INPUT_SIZE_PX // 2
    return operator


def _dense() -> Any:  # noqa: ANN401
    operator = _schema.OperatorT()
    operator.opcodeIndex, operator.inputs, operator.outputs = 1, [1, 2, 3], [4]
    operator.builtinOptionsType = _schema.BuiltinOptions.FullyConnectedOptions
    operator.builtinOptions = _schema.FullyConnectedOptionsT()
    return operator


def _code(name: str, version: int) -> Any:  # noqa: ANN401
    code = _schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = getattr(_schema.BuiltinOperator, name)
    code.version = version
    return code


def _buffer(content: bytes | None) -> Any:  # noqa: ANN401
    buffer = _schema.BufferT()
    buffer.data = None if content is None else np.frombuffer(content, np.uint8)
    return buffer
