"""Where the tensors of all nets lie in the memory that parent and child share."""

from __future__ import annotations

import math
import mmap
from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from edge_runtime.accelerator.messages import Net, Region
from edge_runtime.interfaces import Interpreter
from edge_runtime.quantization import Quantization

_ALIGNMENT_BYTES = 64  # a cache line

Tensors: TypeAlias = tuple[NDArray[np.int8], tuple[NDArray[np.int8], ...]]
"""Input and outputs of one net, as views of the shared memory."""


class Layout:
    """Gives every tensor a place, one behind the other."""

    def __init__(self) -> None:
        """Begin with no memory."""
        self.size_bytes = 0

    def net(self, name: str, model_fd: int, model_bytes: int, twin: Interpreter) -> Net:
        """Place a compiled net; shapes and quantization are those of its twin on the processor."""
        entry = self._region(twin.input_shape, twin.input_quantization)
        outputs = tuple(map(self._region, twin.output_shapes, twin.output_quantizations))
        return Net(name, model_fd, model_bytes, entry, outputs)

    def _region(self, shape: tuple[int, ...], quantization: Quantization) -> Region:
        placed = Region(self.size_bytes, shape, quantization)
        self.size_bytes += -(-math.prod(shape) // _ALIGNMENT_BYTES) * _ALIGNMENT_BYTES
        return placed


def tensors(nets: tuple[Net, ...], memory_fd: int, size_bytes: int) -> Iterator[Tensors]:
    """Map the shared memory and yield each net's views of it, which keep it mapped."""
    memory = mmap.mmap(memory_fd, size_bytes)
    for net in nets:
        yield _view(memory, net.input), tuple(_view(memory, output) for output in net.outputs)


def _view(memory: mmap.mmap, region: Region) -> NDArray[np.int8]:
    flat = np.frombuffer(memory, np.int8, math.prod(region.shape), region.offset)
    return flat.reshape(region.shape)
