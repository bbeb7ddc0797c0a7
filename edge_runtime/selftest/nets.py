"""The nets give the answers that were recorded when they were exported."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from edge_runtime.contract import KERNEL_STEPS, SHIPPED_KINDS, ModelKind, reference_steps
from edge_runtime.golden import check_golden
from edge_runtime.interpreter import open_interpreter
from edge_runtime.selftest.verdict import Case
from edge_runtime.settings import Config
from edge_runtime.wiring import bundle_of, open_accelerator, open_net


def cases(config: Config, _capture_s: float) -> Iterator[Case]:
    """Each net with reference kernels, with those that will run, and on the accelerator where one is configured."""
    for kind in SHIPPED_KINDS:
        if kind == "faces" and config.detector.kind != "faces":
            continue
        yield Case(f"{kind}, reference kernels", partial(_on_the_processor, kind, config, reference=True))
        yield Case(f"{kind}, cpu", partial(_on_the_processor, kind, config, reference=False))
        if config.models.device != "cpu":
            yield Case(f"{kind}, {config.models.device}", partial(_on_the_accelerator, kind, config))


def _on_the_processor(kind: ModelKind, config: Config, *, reference: bool) -> str:
    bundle = bundle_of(kind, config)
    interpreter = open_interpreter(bundle.model, threads=config.models.threads, reference_kernels=reference)
    allowed = reference_steps(interpreter.runtime) if reference else KERNEL_STEPS[kind]
    return check_golden(bundle, interpreter, allowed_steps=allowed)


def _on_the_accelerator(kind: ModelKind, config: Config) -> str:
    """Ask the accelerator the same, and nothing but the accelerator."""
    bundle = bundle_of(kind, config)
    accelerator = open_accelerator(config.models, may_fall_back=False)
    try:
        interpreter = open_net(bundle, config.models, accelerator)
        accelerator.start()
        return check_golden(bundle, interpreter, allowed_steps=KERNEL_STEPS[kind])
    finally:
        accelerator.close()
