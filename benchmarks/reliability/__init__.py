"""Faults, injected many times: `python -m benchmarks reliability [--row NAME] [--count N]`.

Every row can be stopped at any moment and goes on when it is called again. `--fresh` begins it anew. What was found is
on docs/reliability.md.
"""

from __future__ import annotations

import argparse
import sys
import time
from importlib import import_module
from typing import Final

from benchmarks.reliability.ledger import Ledger

ROWS: Final = {
    "outbox-kills": 10_000,
    "write-prefixes": 100,
    "disk-bytes": 200,
    "program-kills": 200,
    "sigterms": 1000,
    "outage": 100_000,
    "forgetful-broker": 20,
    "network-flaps": 1000,
    "frozen-broker": 40,
    "dead-camera": 10,
    "day": 86_400,
    "many-frames": 20_000,
}
"""Rows in the order in which `make reliability` plays them, with the rounds of the long form."""


def main(arguments: list[str] | None = None) -> int:
    """Play one row or all; 1 when something that was found is not good enough."""
    wanted = _parser().parse_args(sys.argv[2:] if arguments is None else arguments)
    rows = [wanted.row] if wanted.row else list(ROWS)
    return max(_play(row, wanted.count or ROWS[row], fresh=wanted.fresh) for row in rows)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks reliability", description=__doc__.splitlines()[0])
    parser.add_argument("--row", choices=ROWS, help="play this one alone")
    parser.add_argument("--count", type=int, metavar="N", help="rounds in all, those of earlier calls included")
    parser.add_argument("--fresh", action="store_true", help="forget what earlier calls found")
    return parser


def _play(row: str, count: int, *, fresh: bool) -> int:
    ledger = Ledger(row, f"python -m benchmarks reliability --row {row} --count {count}")
    if fresh and ledger.path.exists():
        ledger.path.unlink()
        ledger = Ledger(row, ledger.command)
    module = import_module(f"benchmarks.reliability.{row.replace('-', '_')}")
    begun, before = time.monotonic(), ledger.rounds
    module.play(ledger, count)
    if ledger.rounds > before:
        ledger.facts["seconds_a_round"] = round((time.monotonic() - begun) / (ledger.rounds - before), 4)
    ledger.shown = module.shown(ledger)
    ledger.save()
    for line in ledger.shown:
        print(
            f"{'ok  ' if line.holds else 'FAIL'} {row}: {line.what}: {line.found} (wanted: {line.wanted})", flush=True
        )
    return 0 if all(line.holds for line in ledger.shown) else 1
