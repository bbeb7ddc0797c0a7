"""Whether a net fits the Edge TPU: by its operators, and by the compiler where that is installed."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ai_edge_litert import schema_py_generated as schema

from converter.errors import EdgeTpuError
from edge_runtime.bundle import COMPILED_MARK

COMPILER: Final = "edgetpu_compiler"
COMPILER_TIMEOUT_S: Final = 300

ON_CHIP_BYTES: Final = 8 * 1024 * 1024
"""Memory of the chip. The compiler needs some of it for itself, and says how much is left for weights."""

SUPPORTED_OPERATORS: Final = frozenset(
    {
        "ADD",
        "AVERAGE_POOL_2D",
        "CONCATENATION",
        "CONV_2D",
        "DEPTHWISE_CONV_2D",
        "EXPAND_DIMS",
        "FULLY_CONNECTED",
        "L2_NORMALIZATION",
        "LOGISTIC",
        "MAXIMUM",
        "MAX_POOL_2D",
        "MEAN",
        "MINIMUM",
        "MUL",
        "PACK",
        "PAD",
        "PRELU",
        "QUANTIZE",
        "REDUCE_MAX",
        "REDUCE_MIN",
        "RELU",
        "RELU6",
        "RELU_N1_TO_1",
        "RESHAPE",
        "RESIZE_BILINEAR",
        "RESIZE_NEAREST_NEIGHBOR",
        "RSQRT",
        "SLICE",
        "SOFTMAX",
        "SPACE_TO_DEPTH",
        "SPLIT",
        "SQUARED_DIFFERENCE",
        "SQUEEZE",
        "STRIDED_SLICE",
        "SUB",
        "SUM",
        "TANH",
        "TRANSPOSE",
        "TRANSPOSE_CONV",
    }
)
"""Source: Coral, "TensorFlow models on the Edge TPU", table of supported operations, without the recurrent ones."""

SUPPORTED_TYPES: Final = frozenset({"INT8", "INT32"})
"""INT32 for biases and shapes."""

_ROW = re.compile(r"^(?P<operator>[A-Z][A-Z0-9_]*)\s+(?P<count>\d+)\s+(?P<status>\S.*)$", re.MULTILINE)
_MAPPED = "Mapped to Edge TPU"


@dataclass(frozen=True)
class Inventory:
    """What a .tflite is made of."""

    operators: dict[str, int]
    """Number of each operator."""

    types: dict[str, int]
    """Number of tensors of each type."""

    weight_bytes: int = 0
    """Size of all constants."""

    @property
    def refused(self) -> list[str]:
        """Operators and types that the Edge TPU does not have."""
        return sorted(set(self.operators) - SUPPORTED_OPERATORS) + sorted(set(self.types) - SUPPORTED_TYPES)


def inventory(model: bytes) -> Inventory:
    """Count the operators and tensor types of a .tflite."""
    root = schema.Model.GetRootAs(model, 0)
    graph = root.Subgraphs(0)
    codes = [root.OperatorCodes(graph.Operators(index).OpcodeIndex()) for index in range(graph.OperatorsLength())]
    operator_names = _names(schema.BuiltinOperator)
    # Old codes stand in a field of one byte; the newer field is 0 there.
    operators = Counter(operator_names[max(code.BuiltinCode(), code.DeprecatedBuiltinCode())] for code in codes)
    type_names = _names(schema.TensorType)
    types = Counter(type_names[graph.Tensors(index).Type()] for index in range(graph.TensorsLength()))
    weight_bytes = sum(root.Buffers(index).DataLength() for index in range(root.BuffersLength()))
    return Inventory(dict(operators), dict(types), weight_bytes)


def _names(enumeration: type) -> dict[int, str]:
    return {value: name for name, value in vars(enumeration).items() if not name.startswith("_")}


def require_supported(found: Inventory, net: str = "net") -> None:
    """Let only nets pass whose every operator and type the Edge TPU has.

    Raises:
        EdgeTpuError: names what it does not have.
    """
    if found.refused:
        raise EdgeTpuError(f"{net}: the Edge TPU has no {', '.join(found.refused)}; change the recipe's net")


def compiler() -> Path | None:
    """Find the Edge TPU compiler on the PATH."""
    found = shutil.which(COMPILER)
    return Path(found) if found else None


@dataclass(frozen=True)
class Compiled:
    """One net as the compiler wrote it, and what it said of it."""

    model: bytes
    compiler_version: str
    on_chip: str
    """Memory of the chip that holds its weights, in the compiler's words; empty when it did not say."""
    off_chip: str
    """Weights that go over the bus in every run."""


def compile_together(models: dict[str, bytes], program: Path) -> dict[str, Compiled]:
    """Compile nets in one call, so that they share the chip's memory instead of driving each other out of it.

    Args:
        models: by name; those that come first get memory first.
        program: the compiler.

    Raises:
        EdgeTpuError: the compiler failed, or left operators of a net to the CPU.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for net, model in models.items():
            (folder / f"{net}.tflite").write_bytes(model)
        command = [str(program), "-s", "-o", name, *(str(folder / f"{net}.tflite") for net in models)]
        done = _run(command)
        results = {net: folder / f"{net}_edgetpu.tflite" for net in models}
        if done.returncode or not all(result.exists() for result in results.values()):
            raise EdgeTpuError(f"{program}: exit code {done.returncode}: {(done.stderr or done.stdout).strip()[-500:]}")
        return {net: _judged(net, result, done.stdout, alone=len(models) == 1) for net, result in results.items()}


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(  # noqa: S603  the user's own compiler
            command, capture_output=True, text=True, timeout=COMPILER_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise EdgeTpuError(f"{command[0]}: not done within {COMPILER_TIMEOUT_S} s; try fewer bundles") from error


def _judged(net: str, result: Path, printed: str, *, alone: bool) -> Compiled:
    """Read what the compiler wrote about one net: its part of the output, and its operator log."""
    parts = re.split(r"^Input model: *", printed, flags=re.MULTILINE)
    part = next((part for part in parts[1:] if part.split("\n", 1)[0].strip().endswith(f"{net}.tflite")), "")
    part = part or (printed if alone else "")
    log = result.with_suffix(".log")
    require_mapped(log.read_text(encoding="utf-8") if log.exists() else part, net)
    model = result.read_bytes()
    if COMPILED_MARK not in model:
        raise EdgeTpuError(
            f"{net}: {COMPILER} wrote a net without {COMPILED_MARK.decode()}: all of it is left to the CPU"
        )
    return Compiled(
        model,
        _said(r"Edge TPU Compiler version (\S+)", printed),
        _said(r"On-chip memory used for caching model parameters: (\S+)", part),
        _said(r"Off-chip memory used for streaming uncached model parameters: (\S+)", part),
    )


def _said(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    return found[1] if found else ""


def require_mapped(log: str, net: str) -> None:
    """Read the table of operators that the compiler writes.

    Raises:
        EdgeTpuError: there is no table, or one of its rows is not mapped.
    """
    rows = [match.groupdict() for match in _ROW.finditer(log)]
    left = [f"{row['operator']} ({row['status'].strip()})" for row in rows if row["status"].strip() != _MAPPED]
    if left or not rows:
        raise EdgeTpuError(
            f"{net}: {COMPILER} left to the CPU: {', '.join(left) or 'unknown, its log has no operator table'}"
        )
