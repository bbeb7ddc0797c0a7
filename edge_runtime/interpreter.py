"""Runs one .tflite: the only file that imports a TFLite runtime."""

from __future__ import annotations

import importlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib import metadata
from types import ModuleType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from edge_runtime.datatypes import ShapeError
from edge_runtime.errors import ContractError, DelegateError, InterpreterError
from edge_runtime.quantization import Quantization

RUNTIMES: Final[Mapping[str, str]] = {
    "ai_edge_litert.interpreter": "ai-edge-litert",
    "tflite_runtime.interpreter": "tflite-runtime",
}
"""Module -> distribution, in the order of preference."""

_HINT = (
    "install one with `pip install ai-edge-litert` (64-bit) or `pip install 'emotion-edge[tflite-runtime]'`; "
    "where one is installed, export the model again with `emotion-convert export`"
)


@dataclass(frozen=True, slots=True)
class Operator:
    """One operator of a net, as the runtime lists it."""

    name: str
    """As in the TFLite schema, such as CONV_2D; a part that was handed to XNNPACK is one more, called DELEGATE."""
    inputs: tuple[tuple[int, ...], ...]
    """Shape of each input; () for one that is left out."""
    output: tuple[int, ...]
    """Shape of the first output."""


class TfliteInterpreter:
    """An int8 model in LiteRT or tflite-runtime, one input, one or more outputs."""

    def __init__(self, raw: Any, *, runtime: str, device: str) -> None:  # noqa: ANN401  the runtimes are untyped
        """Wrap an allocated interpreter and refuse a model that is not int8 in and out.

        Raises:
            ContractError: another dtype, another input quantization than pixel - 128, a batch other than 1, or a second
                input.
        """
        self._raw = raw
        self.runtime = runtime
        self.device = device
        entry, *others = raw.get_input_details()
        if others:
            raise ContractError(f"model has {1 + len(others)} inputs, expected one grey picture; export it again")
        outputs = sorted(raw.get_output_details(), key=lambda output: str(output["name"]))
        self._input_index = int(entry["index"])
        self._output_indices = [int(output["index"]) for output in outputs]
        self.input_shape = tuple(int(size) for size in entry["shape"])
        self.output_shapes = tuple(tuple(int(size) for size in output["shape"]) for output in outputs)
        self.input_quantization = _quantization_of(entry)
        self.output_quantizations = tuple(_quantization_of(output) for output in outputs)
        if not self.input_quantization.is_pixel_input or self.input_shape[0] != 1:
            raise ContractError(
                f"model input is {self.input_shape} at {self.input_quantization}, expected batch 1, scale 1/255 and "
                f"zero point -128; quantize the model again with `emotion-convert quantize`"
            )

    def invoke(self, stored: NDArray[np.int8]) -> tuple[NDArray[np.int8], ...]:
        """Run once; the results are copies the caller owns.

        Raises:
            ShapeError: the input does not have the model's shape and dtype.
            InterpreterError: the runtime or the accelerator failed.
        """
        require_input(stored, self.input_shape)
        try:
            self._raw.set_tensor(self._input_index, stored)
            self._raw.invoke()
        except (RuntimeError, ValueError) as error:
            raise InterpreterError(f"{self.runtime} on {self.device}: {error}") from error
        return tuple(self._raw.get_tensor(index) for index in self._output_indices)

    def operators(self) -> tuple[Operator, ...]:
        """Return what the net consists of; empty where the runtime does not tell, since this call is not promised."""
        listed: list[dict[str, Any]] = getattr(self._raw, "_get_ops_details", list)()
        shapes = {
            entry["index"]: tuple(int(size) for size in entry["shape"]) for entry in self._raw.get_tensor_details()
        }
        return tuple(
            Operator(
                name=str(entry["op_name"]),
                inputs=tuple(shapes.get(int(index), ()) for index in entry["inputs"]),
                output=shapes.get(int(entry["outputs"][0]), ()) if len(entry["outputs"]) else (),
            )
            for entry in listed
        )


def open_interpreter(
    model: bytes,
    *,
    threads: int = 1,
    reference_kernels: bool = False,
) -> TfliteInterpreter:
    """Construct an interpreter on the processor, on the first TFLite runtime that can run this model.

    Args:
        model: contents of a .tflite whose digest has been checked.
        threads: CPU threads; below about 15 MMAC a second one costs more than it gives.
        reference_kernels: slow kernels that are bit-identical on every machine, for golden tests.

    Raises:
        InterpreterError: no runtime is installed, or none can run this model.
    """
    construct = partial(_construct, model=model, threads=threads, reference_kernels=reference_kernels)
    problems: list[str] = []
    for module_name, distribution in RUNTIMES.items():
        raw = _try_runtime(module_name, distribution, construct, problems)
        if raw is not None:
            return TfliteInterpreter(raw, runtime=f"{distribution} {metadata.version(distribution)}", device="cpu")
    raise InterpreterError(f"no TFLite interpreter: {'; '.join(problems)}; {_HINT}")


def open_delegated(model: bytes, *, library: str, device: str) -> TfliteInterpreter:
    """Construct an interpreter that hands a compiled net to the Edge TPU.

    The library comes into this process, and it aborts the process when the device is lost: for edge_runtime.accelerator
    alone, which has a process for it.

    Args:
        model: contents of a model_edgetpu.tflite whose digest has been checked.
        library: name or path of the delegate's shared library.
        device: `edgetpu`, or with bus and number as `edgetpu:usb:0`.

    Raises:
        DelegateError: the library is missing, finds no device, or cannot run this net.
        ContractError: the net does not fit the contract.
    """
    problems: list[str] = []
    for module_name, distribution in RUNTIMES.items():
        try:
            module = importlib.import_module(module_name)
        except ModuleNotFoundError:
            problems.append(f"{distribution} is not installed")
            continue
        except (ImportError, SystemError) as error:
            problems.append(f"{distribution}: {error}")
            continue
        raw = _delegated(module, model, library, device)
        return TfliteInterpreter(raw, runtime=f"{distribution} {metadata.version(distribution)}", device=device)
    raise DelegateError("refused", f"no TFLite interpreter: {'; '.join(problems)}")


def _delegated(module: ModuleType, model: bytes, library: str, device: str) -> Any:  # noqa: ANN401
    place = device.partition(":")[2]
    try:
        delegate = module.load_delegate(library, {"device": place} if place else {})
    except OSError as error:
        raise DelegateError("library_missing", str(error)) from error
    except ValueError as error:
        told = str(error).removeprefix(f"Failed to load delegate from {library}").strip()
        raise DelegateError("no_device", told or f"{library} found no device") from error
    except AttributeError as error:
        raise DelegateError("refused", f"{library} is no delegate: {error}") from error
    try:
        with _without_native_chatter():
            raw = module.Interpreter(model_content=model, num_threads=1, experimental_delegates=[delegate])
            raw.allocate_tensors()
    # tflite-runtime beside numpy 2 imports, then raises SystemError or ImportError when it is constructed.
    except (ImportError, SystemError, ValueError, RuntimeError) as error:
        raise DelegateError("refused", f"{library} and {module.__name__}: {error}") from error
    return raw


def require_input(stored: NDArray[np.int8], shape: tuple[int, ...]) -> None:
    """Refuse an input of another shape or dtype with a ShapeError."""
    if stored.shape != shape or stored.dtype != np.int8:
        raise ShapeError(f"interpreter: expected {shape} int8, found {stored.shape} {stored.dtype}")


def _try_runtime(
    module_name: str, distribution: str, construct: Callable[[ModuleType], Any], problems: list[str]
) -> Any:  # noqa: ANN401
    """Return an allocated interpreter, or None with the reason added to `problems`."""
    try:
        return construct(importlib.import_module(module_name))
    except ModuleNotFoundError:
        problems.append(f"{distribution} is not installed")
    # tflite-runtime beside numpy 2 imports, then raises SystemError or ImportError when it is constructed.
    except (ImportError, SystemError, ValueError, RuntimeError) as error:
        problems.append(f"{distribution}: {error}")
    return None


def _construct(module: ModuleType, *, model: bytes, threads: int, reference_kernels: bool) -> Any:  # noqa: ANN401
    resolver = module.OpResolverType.BUILTIN_REF if reference_kernels else module.OpResolverType.AUTO
    with _without_native_chatter():
        raw = module.Interpreter(model_content=model, num_threads=threads, experimental_op_resolver_type=resolver)
        raw.allocate_tensors()
    return raw


@contextmanager
def _without_native_chatter() -> Iterator[None]:
    """Hold back what the runtime's C++ side prints on standard error; all but its INFO lines are passed on after."""
    sys.stderr.flush()
    with tempfile.TemporaryFile() as held:
        kept = os.dup(2)
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            held.seek(0)
            for line in held.read().splitlines(keepends=True):
                if not line.startswith(b"INFO: "):
                    os.write(2, line)


def _quantization_of(details: Mapping[str, Any]) -> Quantization:
    if details["dtype"] is not np.int8:
        raise ContractError(
            f"model tensor {details['name']} is {np.dtype(details['dtype']).name}, expected int8; "
            f"quantize the model with `emotion-convert quantize`"
        )
    scale, zero_point = details["quantization"]
    return Quantization(float(scale), int(zero_point))
