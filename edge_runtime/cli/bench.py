"""`emotion-edge bench`: how long every net and every stage of a frame takes here, beside what the board can do."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from typing import Any

from edge_runtime.cli.options import Verbs, add_chain, add_json, chain_overrides, configured, summary
from edge_runtime.cli.run import count


def add(verbs: Verbs) -> None:
    """Add the verb."""
    parser = verbs.add_parser("bench", help="measure this machine", description=summary(__doc__))
    add_chain(parser)
    parser.add_argument("--frames", type=count, default=300, metavar="N", help="frames to measure (default: 300)")
    add_json(parser)
    parser.set_defaults(main=main)


def main(arguments: argparse.Namespace) -> int:
    """Measure the chain over a source, the demo unless one is given, and each net alone; print the figures."""
    from edge_runtime.benchmark import measure

    overrides = {"source.uri": "demo", **chain_overrides(arguments)}
    found = measure(configured(arguments, overrides), frames=arguments.frames)
    print(json.dumps(found) if arguments.json else "\n".join(as_text(found)))
    return 0


def as_text(found: dict[str, Any]) -> Iterator[str]:
    """Lay the figures out for a terminal."""
    machine = found["machine"]
    yield f"{machine['cpu']}, {machine['cores']} cores, load {machine['load']}"
    kernels = {True: " with XNNPACK", False: " WITHOUT XNNPACK: see `emotion-edge check`", None: ""}[found["xnnpack"]]
    threads = f"{found['threads']} thread{'' if found['threads'] == 1 else 's'}"
    yield f"nets on {found['device']} by {found['runtime']}{kernels}, {threads}; detector {found['detector']}"
    yield from _disturbances(machine)
    yield ""
    yield from _nets(found)
    yield ""
    yield f"{found['frames']} frames of {found['source']}, {found['faces_per_frame']} faces per frame"
    yield f"{'stage':12}{'p50 ms':>10}{'p95 ms':>10}{'runs':>8}"
    for stage, row in found["stages"].items():
        yield f"{stage:12}{row['p50_ms']:10.2f}{row['p95_ms']:10.2f}{row['runs']:8}"
    yield ""
    yield f"{found['fps']} frames per second on one thread"
    yield f"{100 * found['non_model_share']:.1f} % of the time is not spent in a net or in the detector"
    yield (
        f"first answer {found['cold_start']['first_answer_s']} s after the start, "
        f"the nets were open after {found['cold_start']['nets_open_s']} s"
    )
    yield f"{found['memory_mb']} MB resident"


def _disturbances(machine: dict[str, Any]) -> Iterator[str]:
    """Say what makes figures worse than the board is."""
    if machine["governor"] not in {None, "performance"}:
        yield f"note: the clock's governor is {machine['governor']}; `performance` gives steadier figures"
    if machine["throttled_now"]:
        yield f"note: the board is held back now: {', '.join(machine['throttled_now'])}; see `emotion-edge check`"
    if machine["load"] > (machine["cores"] or 1) / 2:
        yield f"note: the machine is busy (load {machine['load']}); figures are worse than the board is"


def _nets(found: dict[str, Any]) -> Iterator[str]:
    reference = found["reference"]
    compared = f"{'x limit':>10}{'x ref':>8}" if reference else ""
    yield f"{'net':12}{'MMAC':>8}{'p50 ms':>10}{'p95 ms':>10}{'GMAC/s':>10}{compared}"
    for kind, net in found["nets"].items():
        rated = f"{net['gmac_s']:10.1f}" if "gmac_s" in net else f"{'?':>10}"
        against = f"{net['x_limit']:10.1f}{net['x_ref']:8.2f}" if "x_limit" in net else ""
        yield f"{kind:12}{net.get('mmac', '?'):>8}{net['p50_ms']:10.2f}{net['p95_ms']:10.2f}{rated}{against}"
    if reference is None:
        yield "no reference for this board"
    elif reference["published_gmac_s"]:
        yield f"limit: {reference['peak_gmac_s']:g} GMAC/s; ref: {reference['published_gmac_s']:g}, the best published"
    else:
        yield f"limit: {reference['peak_gmac_s']:g} GMAC/s; ref: the best published time, bound by the transport"
