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

COMPILER: Final = "edgetpu_compiler"
COMPILER_TIMEOUT_S: Final = 300

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
    return Inventory(dict(operators), dict(types))


def _names(enumeration: type) -> dict[int, str]:
    return {value: name for name, value in vars(enumeration).items() if not name.startswith("_")}


def require_supported(found: Inventory) -> None:
    """Let only nets pass whose every operator and type the Edge TPU has.

    Raises:
        EdgeTpuError: names what it does not have.
    """
    if found.refused:
        raise EdgeTpuError(f"the Edge TPU has no {', '.join(found.refused)}; change the recipe's net")


def compiler() -> Path | None:
    """Find the Edge TPU compiler on the PATH."""
    found = shutil.which(COMPILER)
    return Path(found) if found else None


def compiled(model: bytes, program: Path) -> bytes:
    """Compile a net and check that all of it runs on the Edge TPU.

    Raises:
        EdgeTpuError: the compiler failed, or left operators to the CPU.
    """
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "model.tflite")
        source.write_bytes(model)
        command = [str(program), "-s", "-o", folder, str(source)]
        done = subprocess.run(  # noqa: S603  the user's own compiler
            command, capture_output=True, text=True, timeout=COMPILER_TIMEOUT_S, check=False
        )
        result = Path(folder, "model_edgetpu.tflite")
        if done.returncode or not result.exists():
            raise EdgeTpuError(f"{program}: exit code {done.returncode}: {(done.stderr or done.stdout).strip()[-500:]}")
        require_mapped(done.stdout)
        return result.read_bytes()


def require_mapped(log: str) -> None:
    """Read the table that the compiler prints with -s.

    Raises:
        EdgeTpuError: there is no table, or one of its rows is not mapped.
    """
    rows = [match.groupdict() for match in _ROW.finditer(log)]
    left = [f"{row['operator']} ({row['status']})" for row in rows if row["status"].strip() != _MAPPED]
    if left or not rows:
        raise EdgeTpuError(
            f"{COMPILER}: left to the CPU: {', '.join(left) or 'unknown, its log has no operator table'}"
        )
