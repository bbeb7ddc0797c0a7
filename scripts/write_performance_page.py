"""Write docs/performance.md from benchmarks/results/*.json: `python scripts/write_performance_page.py [--check]`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
PAGE = ROOT / "docs" / "performance.md"

HEAD = """# Figures

<!-- Written by scripts/write_performance_page.py from benchmarks/results. Do not edit. -->

Every figure was made by the command beside it; the JSON in `benchmarks/results/` names machine, commit and libraries.
No Raspberry Pi and no Coral was at hand: these are figures of an x86 server and count as ratios. `emotion-edge bench`
prints your own board's.
"""

BYTES = """
## Where each byte goes

| step | copies of a frame |
|---|---|
| video file, camera, stream | OpenCV decodes into its buffer; one conversion to grey makes the array the Frame owns |
| picamera2 | the Y plane of the lores stream is copied once, without its padding; the buffer goes back at once |
| detector | one shrunk copy, `detector.search_width_px` wide, every `detector.every_n_frames` frames |
| each face | a 96 x 96 and a 48 x 48 crop; int8 input is the crop with its top bit flipped |
| events | numbers; encoded once however many sinks there are |

Nothing else is copied: the mailbox between capture and main thread hands over the array itself.
"""


def main(arguments: list[str]) -> int:
    """Write the page, or with --check say whether it is up to date."""
    text = render()
    if "--check" not in arguments:
        PAGE.write_text(text, encoding="utf-8")
        print(f"{PAGE.relative_to(ROOT)} written")
        return 0
    if PAGE.exists() and PAGE.read_text(encoding="utf-8") == text:
        return 0
    print(f"{PAGE.relative_to(ROOT)} is stale: run python scripts/write_performance_page.py", file=sys.stderr)
    return 1


def render() -> str:
    """Return the whole page."""
    return HEAD + _nets(_load("nets")) + _chain(_load("chain")) + _footprint(_load("footprint")) + _clips() + BYTES


def _load(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    return found


def _about(result: dict[str, Any]) -> str:
    about = result["environment"]
    return (
        f"`{result['command']}`, {about['cpu']}, {about['cores']} cores, load {about['load_1min']}, "
        f"commit {about['commit']}, {about['date']}.\n\n"
    )


def _nets(result: dict[str, Any]) -> str:
    rows = [
        f"| {kind} | {row['model']} | {row['bytes'] / 1000:.0f} | {row['p50_ms']} | {row['p95_ms']} |\n"
        for kind, row in result["nets"].items()
    ]
    head = "| net | model | kB | p50 ms | p95 ms |\n|---|---|---|---|---|\n"
    return f"\n## One invoke of each net, one thread\n\n{_about(result)}{head}{''.join(rows)}"


def _chain(result: dict[str, Any]) -> str:
    bench = result["bench"]
    rows = [
        f"| {stage} | {row['p50_ms']} | {row['p95_ms']} | {row['runs']} |\n" for stage, row in bench["stages"].items()
    ]
    head = "| stage | p50 ms | p95 ms | runs |\n|---|---|---|---|\n"
    tail = (
        f"\n{bench['fps']} frames per second on one thread with the {bench['detector']} detector; "
        f"{100 * bench['non_model_share']:.1f} % of the time is spent neither in a net nor in the detector.\n"
    )
    return f"\n## The chain on the demo source\n\n{_about(result)}{head}{''.join(rows)}{tail}"


def _footprint(result: dict[str, Any]) -> str:
    size, first = result["installed"], result["first_event_s"]["of_each_start"]
    return (
        f"\n## Footprint\n\n{_about(result)}| what | figure |\n|---|---|\n"
        f"| light install, all packages | {size['all_mb']} MB |\n"
        f"| our own packages in it | {size['own_package_mb']} MB |\n"
        f"| seconds to the first event of the demo, {len(first)} starts | {', '.join(map(str, first))} |\n"
        f"| largest resident memory, the demo's libraries included | {result['resident_mb_with_demo_source']} MB |\n"
    )


def _clips() -> str:
    parts = []
    for path in sorted(RESULTS.glob("clips-*.json")):
        result = json.loads(path.read_text(encoding="utf-8"))
        rows = [
            f"| {name} | {row['frames']} | {100 * row['frames_with_listed_faces']:.1f} % | {row['tracks']} "
            f"| {row['label_flips_per_minute']} | {row['frame']['p50_ms']} | {row['frame']['p95_ms']} |\n"
            for name, row in result["clips"].items()
        ]
        head = (
            "| clip | frames | right number of faces | tracks | label changes a minute | p50 ms | p95 ms |\n"
            "|---|---|---|---|---|---|---|\n"
        )
        title = f"\n## The chain on real clips, detector {path.stem.partition('-')[2]}\n\n"
        parts.append(f"{title}{_about(result)}{head}{''.join(rows)}\n{_segments(result['segments'])}")
    return "".join(parts)


def _segments(found: dict[str, Any]) -> str:
    return (
        f"Segments that one viewer labelled with one of the five emotions ({found['frames']} frames): "
        f"{100 * found['answered']:.0f} % of the frames got an answer, {100 * found['right_of_answered']:.0f} % of the "
        f"answers agree. Neutral segments ({found['neutral_frames']} frames): {100 * found['neutral_uncertain']:.0f} % "
        f"uncertain. A sanity check by eye, not a benchmark.\n"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
