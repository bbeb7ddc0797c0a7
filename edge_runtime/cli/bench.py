"""`emotion-edge bench`: how long every stage of a frame takes on this machine."""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edge_runtime.cli.options import Verbs, add_chain, add_json, chain_overrides, configured, summary
from edge_runtime.errors import SourceError

if TYPE_CHECKING:
    from edge_runtime.stages import StageTimes

_WARM_UP_FRAMES = 10


def add(verbs: Verbs) -> None:
    """Add the verb."""
    parser = verbs.add_parser("bench", help="measure this machine", description=summary(__doc__))
    add_chain(parser)
    parser.add_argument("--frames", type=int, default=300, metavar="N", help="frames to measure (default: 300)")
    add_json(parser)
    parser.set_defaults(main=main)


def main(arguments: argparse.Namespace) -> int:
    """Process frames as fast as the machine can and print the times of every stage."""
    found = measure(arguments)
    print(json.dumps(found) if arguments.json else _as_text(found))
    return 0


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    """Run the chain of the configuration over a source (the demo unless one is given)."""
    from edge_runtime.wiring import Pipeline, open_source

    overrides = {"source.uri": "demo", **chain_overrides(arguments)}
    config = configured(arguments, overrides)
    faces = frames = 0
    with Pipeline.from_config(config, may_fall_back=False) as pipeline, open_source(config.source) as source:
        for frame in source.frames():
            if frames == _WARM_UP_FRAMES:
                pipeline.times.clear()
                faces = 0
            faces += len(pipeline.process(frame).faces)
            frames += 1
            if frames >= arguments.frames + _WARM_UP_FRAMES:
                break
        device = pipeline.parts.accelerator.label
    measured = frames - _WARM_UP_FRAMES
    if measured < 1:
        raise SourceError(f"{config.source.uri}: {frames} frames, too few to measure; give a longer source")
    return {
        "machine": _machine(),
        "source": source.name,
        "detector": pipeline.parts.detector.name,
        "runtime": pipeline.parts.emotion.interpreter.runtime,
        "device": device,
        "frames": measured,
        "faces_per_frame": round(faces / measured, 3),
        **_summary(pipeline.times),
        "memory_mb": round(_resident_mb(), 1),
    }


def _summary(times: StageTimes) -> dict[str, Any]:
    import numpy as np

    from edge_runtime.stages import MODEL_STAGES, STAGES

    stages = {}
    for stage in STAGES:
        runs = np.array(times.runs(stage)) * 1000
        if len(runs):
            p50, p95 = np.percentile(runs, [50, 95])
            stages[stage] = {"p50_ms": round(float(p50), 3), "p95_ms": round(float(p95), 3), "runs": len(runs)}
    total = sum(times.runs("total"))
    in_models = sum(sum(times.runs(stage)) for stage in MODEL_STAGES)
    return {
        "stages": stages,
        "fps": round(len(times.runs("total")) / total, 1),
        "non_model_share": round(1 - in_models / total, 4),
    }


def _as_text(found: dict[str, Any]) -> str:
    lines = [
        f"{found['machine']['cpu']}, {found['machine']['cores']} cores",
        f"nets on {found['device']} by {found['runtime']}, detector {found['detector']}",
        f"{found['frames']} frames of {found['source']}, {found['faces_per_frame']} faces per frame",
        "",
        f"{'stage':12}{'p50 ms':>10}{'p95 ms':>10}{'runs':>8}",
    ]
    for stage, row in found["stages"].items():
        lines.append(f"{stage:12}{row['p50_ms']:10.2f}{row['p95_ms']:10.2f}{row['runs']:8}")
    lines += [
        "",
        f"{found['fps']} frames per second on one thread",
        f"{100 * found['non_model_share']:.1f} % of the time is not spent in a net or in the detector",
        f"{found['memory_mb']} MB resident",
    ]
    return "\n".join(lines)


def _machine() -> dict[str, Any]:
    return {"cpu": _cpu_name(), "cores": os.cpu_count(), "system": platform.platform()}


def _cpu_name() -> str:
    """Name of the board where there is one, else of the processor."""
    for path, key in ((Path("/proc/device-tree/model"), ""), (Path("/proc/cpuinfo"), "model name")):
        if path.exists():
            for line in path.read_text(errors="replace").replace("\0", "").splitlines():
                if line.startswith(key):
                    return line.partition(":")[2].strip() if key else line.strip()
    return platform.machine()


def _resident_mb() -> float:
    """Largest resident memory so far; Linux counts it in KiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
