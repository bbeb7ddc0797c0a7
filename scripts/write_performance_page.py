"""Write docs/performance.md from benchmarks/results/*.json: `scripts/write_performance_page.py [--check]`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

from scripts import performance_chain as of_chain
from scripts import performance_nets as of_nets
from scripts.performance_bytes import BYTES
from scripts.performance_table import Result

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
PAGE = ROOT / "docs" / "performance.md"

HEAD = """# Figures

<!-- Written by scripts/write_performance_page.py from benchmarks/results. Do not edit. -->

Every figure was made by the command beside it; the JSON in `benchmarks/results/` names machine, commit and libraries.
No Raspberry Pi and no Coral was at hand: these are figures of an x86 server and count as ratios. Where the load is
above the number of cores, others computed at the same time, and times are upper bounds, p95 above all. One server of a
kind is not as fast as another: compare within a table, not with an earlier version of this page. 8-bit nets depend most
on it: where a processor with the dot products of AVX-512 VNNI took 0.24 and 0.55 ms for the keypoint and the emotion
net, one with AVX2 alone takes nine times as long.
`emotion-edge bench` prints your own board's.
"""

SECTIONS: tuple[tuple[str, Callable[[Result], str], str], ...] = (
    ("nets", of_nets.nets, ""),
    ("quantization-*", of_nets.quantization, of_nets.KINDS_OF_NUMBERS),
    ("detectors", of_nets.detectors, of_nets.DETECTOR_RULES),
    ("chain", of_chain.chain, ""),
    ("frame_budget", of_chain.frame_budget, ""),
    ("footprint", of_chain.footprint, ""),
    ("clips-*", of_chain.clips, of_chain.EXTRA_TRACKS),
    ("pasted_faces", of_chain.pasted_faces, ""),
    ("steadiness", of_chain.steadiness, ""),
)
"""Names of result files, what writes each of them, and what is said after the last; without a file all is left out."""


def main(arguments: list[str]) -> int:
    """Write the page, or with --check say whether it is up to date."""
    text = render(RESULTS)
    if "--check" not in arguments:
        PAGE.write_text(text, encoding="utf-8")
        print(f"{PAGE.relative_to(ROOT)} written")
        return 0
    if PAGE.exists() and PAGE.read_text(encoding="utf-8") == text:
        return 0
    command = "PYTHONPATH=. python scripts/write_performance_page.py"
    print(f"{PAGE.relative_to(ROOT)} is stale: run {command}", file=sys.stderr)
    return 1


def render(results: Path) -> str:
    """Return the whole page from the results in a folder."""
    written = [HEAD]
    for name, write, note in SECTIONS:
        found = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(results.glob(f"{name}.json"))]
        written += [*map(write, found), note if found else ""]
    return "".join([*written, BYTES])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
