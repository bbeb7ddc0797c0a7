"""`emotion-edge selftest`: prove that nets, source and broker do their job on this device."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from edge_runtime.cli.options import (
    Verbs,
    add_chain,
    add_json,
    chain_overrides,
    configured,
    split_host,
    summary,
)

if TYPE_CHECKING:
    from edge_runtime.selftest import Verdict

_MARKS = {True: "passed ", False: "FAILED ", None: "skipped"}


def add(verbs: Verbs) -> None:
    """Add the verb."""
    parser = verbs.add_parser("selftest", help="prove that this device works", description=summary(__doc__))
    add_chain(parser)
    parser.add_argument("--mqtt", metavar="HOST[:PORT]", help="prove this broker too")
    parser.add_argument("--seconds", type=float, default=3.0, help="how long the source is read (default: 3)")
    parser.add_argument("--junit", type=Path, metavar="FILE", help="write the verdicts as JUnit XML for a factory line")
    add_json(parser)
    parser.set_defaults(main=main)


def main(arguments: argparse.Namespace) -> int:
    """Print one verdict a line; exit code 1 when one failed."""
    from edge_runtime.selftest import prove

    overrides = chain_overrides(arguments)
    if arguments.mqtt is not None:
        overrides |= split_host(arguments.mqtt)
    verdicts = prove(configured(arguments, overrides), capture_s=arguments.seconds)
    passed = all(verdict.passed is not False for verdict in verdicts)
    if arguments.junit is not None:
        arguments.junit.write_bytes(as_junit(verdicts))
    if arguments.json:
        print(json.dumps({"ok": passed, "verdicts": [asdict(verdict) for verdict in verdicts]}))
    else:
        for verdict in verdicts:
            print(f"{_MARKS[verdict.passed]}  {verdict.subject:30} {verdict.told}")
    return 0 if passed else 1


def as_junit(verdicts: list[Verdict]) -> bytes:
    """Write verdicts in the form that test servers read."""
    failures = sum(verdict.passed is False for verdict in verdicts)
    suite = ET.Element("testsuite", name="emotion-edge selftest", tests=str(len(verdicts)), failures=str(failures))
    for verdict in verdicts:
        case = ET.SubElement(suite, "testcase", name=verdict.subject, time=str(verdict.seconds))
        if verdict.passed is False:
            ET.SubElement(case, "failure", message=verdict.told)
        elif verdict.passed is None:
            ET.SubElement(case, "skipped", message=verdict.told)
        else:
            ET.SubElement(case, "system-out").text = verdict.told
    return bytes(ET.tostring(suite, encoding="utf-8", xml_declaration=True))
