"""Multiply-accumulates, counted by hand and from the nets that are shipped."""

from __future__ import annotations

import pytest

from edge_runtime.bundle import builtin_bundle_path, load_bundle
from edge_runtime.contract import SHIPPED_KINDS, ModelKind
from edge_runtime.interpreter import Operator, open_interpreter
from edge_runtime.net_cost import net_cost
from tests.tiny_tflite import TinyModel


@pytest.mark.parametrize(
    ("operator", "macs", "weights"),
    [
        (Operator("CONV_2D", ((1, 8, 8, 3), (16, 3, 3, 3), (16,)), (1, 4, 4, 16)), 4 * 4 * 16 * 3 * 3 * 3, 16 * 27),
        (Operator("DEPTHWISE_CONV_2D", ((1, 8, 8, 16), (1, 3, 3, 16), (16,)), (1, 8, 8, 16)), 8 * 8 * 16 * 9, 9 * 16),
        (Operator("FULLY_CONNECTED", ((1, 64), (10, 64), ()), (1, 10)), 640, 640),
    ],
)
def test_operators_with_weights_are_counted(operator: Operator, macs: int, weights: int) -> None:
    others = [Operator("ADD", ((1, 4, 4, 16), (1, 4, 4, 16)), (1, 4, 4, 16)), Operator("DELEGATE", (), ())]

    cost = net_cost([operator, *others])

    assert cost is not None
    assert (cost.mmac, cost.weight_bytes, cost.is_delegated) == (macs / 1e6, weights, True)


def test_a_net_whose_operators_are_not_known_has_no_cost() -> None:
    assert net_cost([]) is None


def test_a_net_written_by_hand_costs_what_its_dense_layer_does() -> None:
    cost = net_cost(open_interpreter(TinyModel().to_bytes(), reference_kernels=True).operators())

    assert cost is not None
    assert (cost.mmac, cost.weight_bytes, cost.is_delegated) == (20 / 1e6, 20, False)


@pytest.mark.parametrize("kind", SHIPPED_KINDS)
def test_weights_make_up_most_of_a_shipped_net(kind: ModelKind) -> None:
    model = load_bundle(builtin_bundle_path(kind), kind=kind).model

    cost = net_cost(open_interpreter(model).operators())

    assert cost is not None
    assert 0.7 * len(model) < cost.weight_bytes < len(model)
    assert cost.mmac > 1
    assert cost.is_delegated
