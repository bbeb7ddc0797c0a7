"""What one run of a net costs: multiply-accumulates and weights, counted from its operators."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from math import prod
from typing import Final

from edge_runtime.interpreter import Operator

_MACS: Final[Mapping[str, Callable[[Operator], int]]] = {
    # weights (out, height, width, in): every output value is a sum over height x width x in
    "CONV_2D": lambda operator: prod(operator.output) * prod(operator.inputs[1][1:]),
    # weights (1, height, width, channels): every output value is a sum over height x width
    "DEPTHWISE_CONV_2D": lambda operator: prod(operator.output) * prod(operator.inputs[1][1:3]),
    # weights (out, in)
    "FULLY_CONNECTED": lambda operator: prod(operator.output) * operator.inputs[1][-1],
}
"""Operators that multiply by weights; the others, such as ADD and MEAN, cost next to nothing beside them."""


@dataclass(frozen=True, slots=True)
class NetCost:
    """What one run needs."""

    mmac: float
    """Multiply-accumulates, millions."""
    weight_bytes: int
    """int8 weights; biases, a thousandth of them, are left out."""
    is_delegated: bool
    """Whether parts were handed to XNNPACK, which is ten times as fast as the built-in kernels."""


def net_cost(operators: Iterable[Operator]) -> NetCost | None:
    """Add operators up; None when there are none, because the runtime does not list them."""
    found = tuple(operators)
    weighted = [operator for operator in found if operator.name in _MACS]
    if not weighted:
        return None
    return NetCost(
        mmac=sum(_MACS[operator.name](operator) for operator in weighted) / 1e6,
        weight_bytes=sum(prod(operator.inputs[1]) for operator in weighted),
        is_delegated=any("DELEGATE" in operator.name.upper() for operator in found),
    )
