"""A bundle's recorded answers against what this machine answers now."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edge_runtime.bundle import Bundle
from edge_runtime.errors import BundleError, ContractError, InterpreterError
from edge_runtime.interfaces import Interpreter
from edge_runtime.quantization import quantize_pixels


def check_golden(bundle: Bundle, interpreter: Interpreter, *, allowed_steps: int) -> str:
    """Run every recorded input.

    Args:
        bundle: holds inputs and answers.
        interpreter: runs the bundle's net.
        allowed_steps: int8 steps by which an answer may differ.

    Returns:
        How many inputs, and the largest difference.

    Raises:
        BundleError: the bundle has no recorded answers.
        ContractError: inputs or answers are not the net's.
        InterpreterError: the net answers otherwise.
    """
    inputs, expected = _recorded(bundle)
    steps = max(
        _steps_off(interpreter.invoke(quantize_pixels(inputs[row])), expected, row) for row in range(len(inputs))
    )
    if steps > allowed_steps:
        raise InterpreterError(
            f"{bundle.path}: {interpreter.runtime} on {interpreter.device} is {steps} steps off the recorded answers, "
            f"expected at most {allowed_steps}; reinstall the interpreter, or export the model again"
        )
    return f"{len(inputs)} recorded inputs, largest difference {steps} of 256 steps, {interpreter.runtime}"


def _recorded(bundle: Bundle) -> tuple[NDArray[np.uint8], list[NDArray[np.int8]]]:
    """Return inputs (N, h, w) and one (N, ...) array for each output."""
    golden = bundle.golden()
    if "inputs" not in golden or "output_0" not in golden or not len(golden["inputs"]):
        raise BundleError(
            f"{bundle.path}: no golden.npz with recorded answers; export it with `emotion-convert export`"
        )
    outputs = [golden[f"output_{index}"].astype(np.int8) for index in range(len(golden) - 1)]
    return golden["inputs"].astype(np.uint8), outputs


def _steps_off(answers: tuple[NDArray[np.int8], ...], expected: list[NDArray[np.int8]], row: int) -> int:
    """Largest difference of one input's answers, over all outputs, in int8 steps."""
    found_shapes = [found.shape[1:] for found in answers]
    golden_shapes = [golden.shape[1:] for golden in expected]
    if found_shapes != golden_shapes:
        raise ContractError(
            f"golden.npz has answers of {golden_shapes}, the net gives {found_shapes}; "
            f"export the model again with `emotion-convert export`"
        )
    return max(
        int(np.abs(found[0].astype(np.int16) - golden[row].astype(np.int16)).max())
        for found, golden in zip(answers, expected, strict=True)
    )
