"""Measures the chain and each net on this machine, and compares them with what the board can do."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np

from edge_runtime.board import Board
from edge_runtime.bundle import Bundle
from edge_runtime.contract import SHIPPED_KINDS, ModelKind
from edge_runtime.errors import SourceError
from edge_runtime.interfaces import Interpreter
from edge_runtime.interpreter import open_interpreter
from edge_runtime.net_cost import NetCost, net_cost
from edge_runtime.settings import Config
from edge_runtime.speed_limits import SpeedLimits, board_model, speed_limits
from edge_runtime.stages import MODEL_STAGES, STAGES, StageTimes
from edge_runtime.wiring import Pipeline, bundle_of, open_source

WARM_UP_FRAMES: Final = 10
_WARM_UP_RUNS, _RUNS = 10, 200
_LONGEST_S: Final = 3.0
"""A slow net is run for so long only."""

Figures = dict[str, Any]


def measure(config: Config, *, frames: int, root: Path = Path("/")) -> Figures:
    """Run the configured chain as fast as it goes, then each net alone.

    Args:
        config: what would run; a net that cannot run on the configured device is an error, never measured elsewhere.
        frames: of the source, beside a warm-up.
        root: folder that holds /proc and /sys.

    Raises:
        SourceError: the source ends before the warm-up.
        ModelError: a net cannot be used.
    """
    with Pipeline.from_config(config, may_fall_back=False) as pipeline:
        opened_s = _process_age_s()
        figures = _chain(config, pipeline, frames)
        first_answer_s = figures.pop("first_answer_s")
        memory_mb = peak_resident_mb()
        limits = speed_limits(config.models.device, root)
        nets = {kind: _net(bundle, net, limits) for kind, bundle, net in _nets(config, pipeline)}
        return {
            "machine": machine(root),
            "detector": pipeline.parts.detector.name,
            "runtime": pipeline.parts.emotion.interpreter.runtime,
            "device": pipeline.parts.accelerator.label,
            "threads": config.models.threads,
            "xnnpack": _all_delegated(config, nets),
            "reference": None
            if limits is None
            else {"peak_gmac_s": limits.peak_gmac_s, "published_gmac_s": limits.published_gmac_s or None},
            "nets": nets,
            **figures,
            "cold_start": {"nets_open_s": round(opened_s, 2), "first_answer_s": round(first_answer_s, 2)},
            "memory_mb": round(memory_mb, 1),
        }


def machine(root: Path = Path("/")) -> Figures:
    """Describe what is measured: a figure without its machine is worth nothing."""
    throttling = Board(root).throttling()
    return {
        "cpu": board_model(root) or _cpu_name(root),
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "governor": _text(root / "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor") or None,
        "throttled_now": list(throttling.now) if throttling else [],
        "load": round(os.getloadavg()[0], 1),
    }


def _chain(config: Config, pipeline: Pipeline, wanted: int) -> Figures:
    faces = frames = 0
    first_answer_s = 0.0
    with open_source(config.source) as source:
        for frame in source.frames():
            if frames == WARM_UP_FRAMES:
                pipeline.times.clear()
                faces = 0
            faces += len(pipeline.process(frame).faces)
            frames += 1
            first_answer_s = first_answer_s or _process_age_s()
            if frames >= wanted + WARM_UP_FRAMES:
                break
    measured = frames - WARM_UP_FRAMES
    if measured < 1:
        raise SourceError(f"{source.name}: {frames} frames, too few to measure; give a longer source")
    return {
        "source": source.name,
        "frames": measured,
        "faces_per_frame": round(faces / measured, 3),
        "first_answer_s": first_answer_s,
        **_summary(pipeline.times),
    }


def _summary(times: StageTimes) -> Figures:
    stages = {stage: _percentiles(times.runs(stage)) for stage in STAGES if times.runs(stage)}
    total = sum(times.runs("total"))
    in_models = sum(sum(times.runs(stage)) for stage in MODEL_STAGES)
    return {
        "stages": stages,
        "fps": round(len(times.runs("total")) / total, 1),
        "non_model_share": round(1 - in_models / total, 4),
    }


def _percentiles(runs_s: tuple[float, ...] | list[float]) -> Figures:
    p50, p95 = np.percentile(np.array(runs_s) * 1000, [50, 95])
    return {"p50_ms": round(float(p50), 3), "p95_ms": round(float(p95), 3), "runs": len(runs_s)}


def _nets(config: Config, pipeline: Pipeline) -> Iterator[tuple[ModelKind, Bundle, Interpreter]]:
    """Return the very interpreters of the chain; a detector that is no net of ours is left out."""
    parts = pipeline.parts
    interpreters: dict[ModelKind, Interpreter | None] = {
        "keypoints": parts.keypoints.interpreter,
        "emotion": parts.emotion.interpreter,
        "faces": getattr(parts.detector, "interpreter", None),
    }
    for kind in SHIPPED_KINDS:
        interpreter = interpreters[kind]
        if interpreter is not None:
            yield kind, bundle_of(kind, config), interpreter


def _net(bundle: Bundle, interpreter: Interpreter, limits: SpeedLimits | None) -> Figures:
    """Time one net alone on noise, and set it against the board's limits."""
    times = _percentiles(_invoked(interpreter))
    cost = net_cost(open_interpreter(bundle.model).operators())
    name = f"{bundle.manifest.name} {bundle.manifest.version}"
    return {"model": name, **times, **({} if cost is None else _rated(cost, times["p50_ms"], limits))}


def _invoked(interpreter: Interpreter) -> list[float]:
    """Return seconds of each run, after a warm-up."""
    noise = np.random.default_rng(1).integers(-128, 128, (8, *interpreter.input_shape), dtype=np.int8)
    runs: list[float] = []
    until = time.monotonic() + _LONGEST_S
    while len(runs) < _WARM_UP_RUNS + _RUNS and (len(runs) <= _WARM_UP_RUNS or time.monotonic() < until):
        started = time.perf_counter()
        interpreter.invoke(noise[len(runs) % len(noise)])
        runs.append(time.perf_counter() - started)
    return runs[_WARM_UP_RUNS:]


def _rated(cost: NetCost, p50_ms: float, limits: SpeedLimits | None) -> Figures:
    rated: Figures = {
        "mmac": round(cost.mmac, 1),
        "weight_bytes": cost.weight_bytes,
        "gmac_s": round(cost.mmac / p50_ms, 1),
        "is_delegated": cost.is_delegated,
    }
    if limits is not None:
        rated["x_limit"] = round(p50_ms / limits.limit_ms(cost.mmac, cost.weight_bytes), 1)
        rated["x_ref"] = round(p50_ms / limits.ref_ms(cost.mmac), 2)
    return rated


def _all_delegated(config: Config, nets: dict[ModelKind, Figures]) -> bool | None:
    """Whether XNNPACK runs the nets; None where that cannot be told or another device runs them."""
    told = [net["is_delegated"] for net in nets.values() if "is_delegated" in net]
    return all(told) if told and config.models.device == "cpu" else None


def _process_age_s() -> float:
    """Seconds since this process was started, imports included; Linux counts in hundredths."""
    started_ticks = int(Path("/proc/self/stat").read_text(encoding="ascii").rpartition(")")[2].split()[19])
    return time.clock_gettime(time.CLOCK_BOOTTIME) - started_ticks / os.sysconf("SC_CLK_TCK")


def _cpu_name(root: Path) -> str:
    for line in _text(root / "proc/cpuinfo").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def peak_resident_mb() -> float:
    """Largest resident memory of this process so far, 10^6 bytes; Linux counts it in KiB.

    Not ru_maxrss of getrusage(2): that outlives execve(2), so what the program held that started this one counts too.
    Source: proc(5), /proc/PID/status, VmHWM.
    """
    told = Path("/proc/self/status").read_text(encoding="utf-8", errors="replace")
    return int(told.partition("VmHWM:")[2].split()[0]) * 1024 / 1e6


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip("\0\n ")
    except OSError:
        return ""
