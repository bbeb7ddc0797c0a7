"""The self-test of a service that runs: the very interpreters that read faces give their recorded answers once more."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from edge_runtime.bundle import Bundle
from edge_runtime.commands import Proof
from edge_runtime.contract import KERNEL_STEPS, ModelKind
from edge_runtime.errors import EdgeRuntimeError
from edge_runtime.golden import check_golden
from edge_runtime.interfaces import Interpreter
from edge_runtime.pipeline import PipelineParts
from edge_runtime.settings import Config
from edge_runtime.wiring import faces_bundle, open_bundle


def running_proofs(config: Config, parts: PipelineParts) -> Iterator[Proof]:
    """Ask each net in turn; frames wait meanwhile. A detector that is no net of ours is left out."""
    nets: dict[ModelKind, tuple[Interpreter | None, Callable[[], Bundle]]] = {
        "keypoints": (parts.keypoints.interpreter, lambda: open_bundle("keypoints", config.models)),
        "emotion": (parts.emotion.interpreter, lambda: open_bundle("emotion", config.models)),
        "faces": (
            getattr(parts.detector, "interpreter", None),
            lambda: faces_bundle(config.detector, config.models),
        ),
    }
    for kind, (interpreter, bundle) in nets.items():
        if interpreter is not None:
            yield _proof(kind, interpreter, bundle)


def _proof(kind: ModelKind, interpreter: Interpreter, bundle: Callable[[], Bundle]) -> Proof:
    begun = time.monotonic()
    try:
        told, passed = check_golden(bundle(), interpreter, allowed_steps=KERNEL_STEPS[kind]), True
    except EdgeRuntimeError as error:
        told, passed = str(error), False
    return Proof(
        subject=f"{kind}, {interpreter.device}", passed=passed, told=told, seconds=round(time.monotonic() - begun, 3)
    )
