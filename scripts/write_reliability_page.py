"""Write the figures of docs/reliability.md from benchmarks/results: `scripts/write_reliability_page.py [--check]`.

Only what stands between the two marks is written; the faults below them are written by hand.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from benchmarks.reliability import ROWS

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
PAGE = ROOT / "docs" / "reliability.md"
BEGIN: Final = "<!-- Figures: written by scripts/write_reliability_page.py. Do not edit. -->\n"
END: Final = "<!-- End of the figures. -->\n"


def main(arguments: list[str]) -> int:
    """Write the figures, or with --check say whether they are up to date."""
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    _, found, after = rest.partition(END)
    if not found:
        print(f"{PAGE.relative_to(ROOT)}: expected the lines {BEGIN.strip()!r} and {END.strip()!r}", file=sys.stderr)
        return 1
    fresh = f"{before}{BEGIN}\n{render()}\n{END}{after}"
    if "--check" not in arguments:
        PAGE.write_text(fresh, encoding="utf-8")
        print(f"{PAGE.relative_to(ROOT)} written")
        return 0
    if page == fresh:
        return 0
    print(
        f"{PAGE.relative_to(ROOT)} is stale: run PYTHONPATH=. python scripts/write_reliability_page.py", file=sys.stderr
    )
    return 1


def render() -> str:
    """Return the table of figures and the table of the runs that made them."""
    figures, runs = [], []
    for row in ROWS:
        result = _load(f"reliability-{row}")
        if result is None:
            figures.append(f"| not measured yet | | | | {row} |\n")
            continue
        figures += [_figure(line, row) for line in result["shown"]]
        runs.append(_run(row, result, result["facts"].get("seconds_a_round"), ROWS[row], result["rounds"]))
    for name, lines in (("corrupted_bundles", _corrupted_bundles()), ("canary", _canary())):
        figures += [_figure(line, name) for line in lines]
        result = _load(name)
        if result is not None:
            runs.append(_run(name, result, None, 0, 0))
    head = "| what was looked for | found | wanted | holds | run |\n|---|---|---|---|---|\n"
    run_head = "| run | command | rounds | a round | all rounds | date, commit, load |\n|---|---|---|---|---|---|\n"
    return f"{head}{''.join(figures)}\n{run_head}{''.join(runs)}"


def _load(name: str) -> dict[str, Any] | None:
    path = RESULTS / f"{name}.json"
    if not path.exists():
        return None
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def _figure(line: dict[str, Any], run: str) -> str:
    holds = "yes" if line["holds"] else "**no**"
    return f"| {line['what']} | {line['found']} | {line['wanted']} | {holds} | {run} |\n"


def _run(name: str, result: dict[str, Any], a_round_s: float | None, all_rounds: int, rounds: int) -> str:
    about = result["environment"]
    commits = ", ".join(result.get("commits", [about["commit"]]))
    done = f"{rounds:,} of {all_rounds:,}" if all_rounds else ""
    times = ("", "") if a_round_s is None else (f"{a_round_s:.3g} s", f"{a_round_s * all_rounds / 60:.0f} min")
    when = f"{about['date']}, {commits}, {about['load_1min']}"
    return f"| {name} | `{result['command']}` | {done} | {times[0]} | {times[1]} | {when} |\n"


def _corrupted_bundles() -> Iterator[dict[str, Any]]:
    result = _load("corrupted_bundles")
    if result is None:
        return
    accepted, refused, died = (result[name] for name in ("accepted_although_damaged", "refused", "loaders_that_died"))
    yield {
        "what": "damaged model bundles that were accepted",
        "found": f"{accepted} of {accepted + refused:,}",
        "wanted": "0",
        "holds": accepted == 0,
    }
    yield {"what": "processes that died of a damaged bundle", "found": died, "wanted": "0", "holds": died == 0}


def _canary() -> Iterator[dict[str, Any]]:
    result = _load("canary")
    if result is None:
        return
    pixels, searched = result["pixels_found"], result["bytes_searched"]
    yield {
        "what": "pixels of a marked picture in files, messages, logs and core files",
        "found": f"{pixels} in {searched:,} bytes",
        "wanted": "0",
        "holds": pixels == 0,
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
