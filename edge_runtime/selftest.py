"""Proves on the device itself that nets, source and broker do their job, one verdict each."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import msgspec
import numpy as np
from numpy.typing import NDArray

from edge_runtime.bundle import Bundle
from edge_runtime.capture import captured
from edge_runtime.clock import SystemClock
from edge_runtime.config import device_id
from edge_runtime.contract import KERNEL_STEPS, SHIPPED_KINDS, ModelKind
from edge_runtime.errors import BrokerError, BundleError, EdgeRuntimeError, InterpreterError, SourceError
from edge_runtime.events import EventWriter, Identity
from edge_runtime.interfaces import Interpreter
from edge_runtime.interpreter import open_interpreter
from edge_runtime.payloads import ModelPayload
from edge_runtime.quantization import quantize_pixels
from edge_runtime.settings import Config
from edge_runtime.wiring import open_accelerator, open_bundle, open_net, open_source

_BROKER_PATIENCE_S = 5.0

_NO_MODEL = ModelPayload(name="", version="", sha256="", runtime="", accelerator="")


@dataclass(frozen=True)
class Verdict:
    """How one proof ended."""

    subject: str
    passed: bool | None
    """None = left out."""
    told: str
    seconds: float


def prove(config: Config, *, capture_s: float) -> list[Verdict]:
    """Run every proof; one that fails does not keep the next from running.

    Args:
        config: what would run.
        capture_s: how long the source is read, seconds.
    """
    proofs: list[tuple[str, Callable[[], str | None]]] = []
    for kind in SHIPPED_KINDS:
        proofs.append((f"{kind}, reference kernels", partial(_golden, kind, config, reference=True)))
        proofs.append((f"{kind}, cpu", partial(_golden, kind, config, reference=False)))
        if config.models.device != "cpu":
            proofs.append((f"{kind}, {config.models.device}", partial(_golden_accelerated, kind, config)))
    proofs.append(("source", lambda: _frames(config, capture_s)))
    proofs.append(("broker", lambda: _acknowledged(config)))
    return [_verdict(subject, proof) for subject, proof in proofs]


def _verdict(subject: str, proof: Callable[[], str | None]) -> Verdict:
    started = time.monotonic()
    passed: bool | None
    try:
        told = proof()
        passed = None if told is None else True
    except EdgeRuntimeError as error:
        told, passed = str(error), False
    return Verdict(subject, passed, told or "nothing configured", round(time.monotonic() - started, 3))


def _golden(kind: ModelKind, config: Config, *, reference: bool) -> str:
    """Compare the bundle's recorded answers with what this machine answers now."""
    bundle = open_bundle(kind, config.models)
    interpreter = open_interpreter(bundle.model, threads=config.models.threads, reference_kernels=reference)
    return _compared(bundle, interpreter, allowed=0 if reference else KERNEL_STEPS[kind])


def _golden_accelerated(kind: ModelKind, config: Config) -> str:
    """Ask the accelerator the same, and nothing but the accelerator."""
    bundle = open_bundle(kind, config.models)
    accelerator = open_accelerator(config.models, may_fall_back=False)
    try:
        interpreter = open_net(bundle, config.models, accelerator)
        accelerator.start()
        return _compared(bundle, interpreter, allowed=KERNEL_STEPS[kind])
    finally:
        accelerator.close()


def _compared(bundle: Bundle, interpreter: Interpreter, *, allowed: int) -> str:
    inputs, expected = _recorded(bundle)
    steps = max(
        _steps_off(interpreter.invoke(quantize_pixels(inputs[row])), expected, row) for row in range(len(inputs))
    )
    if steps > allowed:
        raise InterpreterError(
            f"{bundle.path}: {interpreter.runtime} on {interpreter.device} is {steps} steps off the recorded answers, "
            f"expected at most {allowed}; reinstall the interpreter, or export the model again"
        )
    return f"{len(inputs)} recorded inputs, largest difference {steps} of 256 steps, {interpreter.runtime}"


def _steps_off(answers: tuple[NDArray[np.int8], ...], expected: list[NDArray[np.int8]], row: int) -> int:
    """Largest difference of one input's answers, over all outputs, in int8 steps."""
    return max(
        int(np.abs(found[0].astype(np.int16) - golden[row].astype(np.int16)).max())
        for found, golden in zip(answers, expected, strict=True)
    )


def _recorded(bundle: Bundle) -> tuple[NDArray[np.uint8], list[NDArray[np.int8]]]:
    """Return inputs (N, h, w) and one (N, ...) array for each output."""
    golden = bundle.golden()
    if "inputs" not in golden or "output_0" not in golden:
        raise BundleError(
            f"{bundle.path}: no golden.npz with recorded answers; export it with `emotion-convert export`"
        )
    outputs = [golden[f"output_{index}"].astype(np.int8) for index in range(len(golden) - 1)]
    return golden["inputs"].astype(np.uint8), outputs


def _frames(config: Config, capture_s: float) -> str:
    """Read the source for some seconds."""
    source = open_source(config.source)
    count, first_at, until = 0, 0.0, time.monotonic() + capture_s
    size = ""
    with captured(source, timeout_s=config.source.timeout_s) as frames:
        for frame in frames:
            count, first_at = count + 1, first_at or time.monotonic()
            size = f"{frame.width} x {frame.height}"
            if time.monotonic() >= until:
                break
    if not count:
        raise SourceError(f"{source.name}: opens, but gives no frame; try another --source")
    per_second = count / max(time.monotonic() - first_at, 1e-3)
    return f"{source.name}: {count} frames of {size}, {per_second:.1f} per second"


def _acknowledged(config: Config) -> str | None:
    """Send one system event and wait until the broker has acknowledged it (QoS 1)."""
    if not config.mqtt.host:
        return None
    from edge_runtime.sinks.mqtt.sink import MqttSink

    clock = SystemClock()
    identity = Identity(device_id(config), "selftest", clock.uuid4(), _NO_MODEL)
    settings = msgspec.structs.replace(config.mqtt, require=True)
    with MqttSink(settings, device_id=identity.device_id, clock=clock) as sink:
        sink.publish(EventWriter(identity, clock).system("selftest", clock.monotonic()))
        give_up_at = clock.monotonic() + _BROKER_PATIENCE_S
        while sink.pending and clock.monotonic() < give_up_at:
            time.sleep(0.02)
        if sink.pending:
            patience = f"{_BROKER_PATIENCE_S:.0f} s"
            raise BrokerError(f"{config.mqtt.host}: no acknowledgement within {patience}; see the broker's log")
    return f"{config.mqtt.host}: one event acknowledged"
