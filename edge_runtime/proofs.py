"""The self-test of a service that runs: the very interpreters that read faces give their recorded answers once more."""

from __future__ import annotations

import time
from collections.abc import Iterator

from edge_runtime.commands import Proof
from edge_runtime.contract import KERNEL_STEPS, ModelKind
from edge_runtime.errors import EdgeRuntimeError
from edge_runtime.golden import check_golden
from edge_runtime.interfaces import Interpreter
from edge_runtime.pipeline import PipelineParts
from edge_runtime.settings import Config
from edge_runtime.wiring import bundle_of


def running_proofs(config: Config, parts: PipelineParts) -> Iterator[Proof]:
    """Ask each net in turn; frames wait meanwhile. A detector that is no net of ours is left out."""
    nets: dict[ModelKind, Interpreter | None] = {
        "keypoints": parts.keypoints.interpreter,
        "emotion": parts.emotion.interpreter,
        "faces": getattr(parts.detector, "interpreter", None),
    }
    for kind, interpreter in nets.items():
        if interpreter is not None:
            yield _proof(kind, interpreter, config)


def _proof(kind: ModelKind, interpreter: Interpreter, config: Config) -> Proof:
    begun = time.monotonic()
    try:
        told, passed = check_golden(bundle_of(kind, config), interpreter, allowed_steps=KERNEL_STEPS[kind]), True
    except EdgeRuntimeError as error:
        told, passed = str(error), False
    return Proof(
        subject=f"{kind}, {interpreter.device}", passed=passed, told=told, seconds=round(time.monotonic() - begun, 3)
    )
