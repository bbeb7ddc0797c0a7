"""Takes the trainer's long tensor names out of a .tflite: bytes that nothing reads."""

from __future__ import annotations

import importlib
from typing import Any

# Their own annotations are incomplete: Any inside this file.
_flatbuffers: Any = importlib.import_module("flatbuffers")
_schema: Any = importlib.import_module("ai_edge_litert.schema_py_generated")


def with_short_names(model: bytes) -> bytes:
    """Return the same net with tensors called by their number; inputs and outputs keep their order."""
    tree = _schema.ModelT.InitFromObj(_schema.Model.GetRootAs(model, 0))
    for graph in tree.subgraphs:
        for index, tensor in enumerate(graph.tensors):
            tensor.name = f"t{index:03d}"
    builder = _flatbuffers.Builder(len(model))
    builder.Finish(tree.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())
