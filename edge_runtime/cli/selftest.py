"""`emotion-edge selftest`: prove that nets, source, disk and broker do their job on this device."""

from __future__ import annotations

import argparse
import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

from edge_runtime.cli.options import (
    Verbs,
    add_chain,
    add_json,
    chain_overrides,
    configured,
    split_host,
    summary,
)
from edge_runtime.errors import UsageError

if TYPE_CHECKING:
    from edge_runtime.selftest import Verdict

_MARKS: Final = {True: "passed ", False: "FAILED ", None: "-      "}

_EPILOG = """exit codes: 0 nothing failed, otherwise the cause of the first failure:
1 failed, 3 configuration, 4 camera, 5 model, interpreter or accelerator, 6 broker"""


def add(verbs: Verbs) -> None:
    """Add the verb."""
    parser = verbs.add_parser(
        "selftest",
        help="prove that this device works",
        description=summary(__doc__),
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_chain(parser)
    parser.add_argument("--mqtt", metavar="HOST[:PORT]", help="prove this broker too")
    parser.add_argument("--seconds", type=_seconds, default=3.0, help="how long the source is read (default: 3)")
    parser.add_argument("--junit", type=Path, metavar="FILE", help="write the verdicts as JUnit XML for a factory line")
    add_json(parser)
    parser.set_defaults(main=main)


def main(arguments: argparse.Namespace) -> int:
    """Print each verdict as it comes; return the code of the first failure's cause."""
    from edge_runtime.selftest import as_junit, described, prove

    overrides = chain_overrides(arguments)
    if arguments.mqtt is not None:
        overrides |= split_host(arguments.mqtt)
    if arguments.junit is not None and not arguments.junit.parent.is_dir():
        raise UsageError(f"--junit {arguments.junit}: no such folder; make it first")
    config = configured(arguments, overrides)
    device = described(config)
    verdicts = []
    for verdict in prove(config, capture_s=arguments.seconds):
        verdicts.append(verdict)
        if not arguments.json:
            print(f"{_MARKS[verdict.passed]}  {verdict.subject:30} {verdict.told}", flush=True)
    code = next((verdict.exit_code for verdict in verdicts if verdict.passed is False), 0)
    if arguments.junit is not None:
        _write(arguments.junit, as_junit(verdicts, device))
    if arguments.json:
        found = [asdict(verdict) for verdict in verdicts]
        print(json.dumps({"ok": code == 0, "exit_code": code, "device": device, "verdicts": found}))
    else:
        print(f"\n{_summed_up(verdicts)}: {device['board']}, serial {device['serial']}, {device['device_id']}")
    return code


def _seconds(text: str) -> float:
    """Read a time that ends."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0.0 < seconds < math.inf:
        raise argparse.ArgumentTypeError(f"expected seconds above 0, found {text!r}")
    return seconds


def _write(path: Path, verdicts: bytes) -> None:
    try:
        path.write_bytes(verdicts)
    except OSError as error:
        raise UsageError(f"--junit {path}: cannot write there ({error.strerror}); give another name") from error


def _summed_up(verdicts: list[Verdict]) -> str:
    ways = {"passed": True, "failed": False, "left out": None}
    counts = {word: sum(verdict.passed is way for verdict in verdicts) for word, way in ways.items()}
    return ", ".join(f"{count} {word}" for word, count in counts.items() if count)
