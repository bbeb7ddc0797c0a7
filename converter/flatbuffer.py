"""Small changes of a finished .tflite, through the tree of its schema."""

from __future__ import annotations

import importlib
from typing import Any, Final

import numpy as np

# Their own annotations are incomplete: Any inside this file.
_flatbuffers: Any = importlib.import_module("flatbuffers")
_schema: Any = importlib.import_module("ai_edge_litert.schema_py_generated")

_INT8_MIN: Final = -128
_INT8_STEPS: Final = 255


def with_short_names(model: bytes) -> bytes:
    """Call tensors by their number: the trainer's long names are bytes that nothing reads."""
    tree = _unpacked(model)
    for graph in tree.subgraphs:
        for index, tensor in enumerate(graph.tensors):
            tensor.name = f"t{index:03d}"
    return _packed(tree, len(model))


def with_output_range(model: bytes, low: float, high: float) -> bytes:
    """Let the int8 output of a net hold other real values than calibration pictures happened to give.

    The last operator takes its factor from the scales of its tensors, so nothing else changes.

    Args:
        model: .tflite with one int8 output.
        low: smallest real value, stored as -128.
        high: largest, stored as 127.
    """
    tree = _unpacked(model)
    graph = tree.subgraphs[0]
    scale = (high - low) / _INT8_STEPS
    quantization = graph.tensors[graph.outputs[0]].quantization
    quantization.scale = np.array([scale], np.float32)
    quantization.zeroPoint = np.array([round(_INT8_MIN - low / scale)], np.int64)
    return _packed(tree, len(model))


def _unpacked(model: bytes) -> Any:  # noqa: ANN401
    return _schema.ModelT.InitFromObj(_schema.Model.GetRootAs(model, 0))


def _packed(tree: Any, size: int) -> bytes:  # noqa: ANN401
    builder = _SharingBuilder(size)
    builder.Finish(tree.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


class _SharingBuilder(_flatbuffers.Builder):
    """Writes equal vectors once: the tables of int8 convolutions hold eight bytes of zeros for every channel, twice."""

    __slots__ = ("_places",)

    def __init__(self, size: int) -> None:
        """Start with nothing written."""
        super().__init__(size)
        self._places: dict[tuple[str, bytes], int] = {}

    def CreateNumpyVector(self, values: Any) -> int:  # noqa: N802, ANN401  the base class calls it so
        """Write a vector or point to the one that holds the same."""
        key = (values.dtype.str, values.tobytes())
        if key not in self._places:
            self._places[key] = super().CreateNumpyVector(values)
        return self._places[key]
