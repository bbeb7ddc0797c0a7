"""`emotion-edge check`: what this device has, what is missing, and the exact remedy."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

from edge_runtime.cli.options import Verbs, add_chain, add_json, chain_overrides, configured, split_host, summary

_MARKS = {"ok": "ok     ", "warning": "warning", "failed": "FAILED ", "off": "off    "}


def add(verbs: Verbs) -> None:
    """Add the verb."""
    parser = verbs.add_parser("check", help="say what is missing on this device", description=summary(__doc__))
    add_chain(parser)
    parser.add_argument("--mqtt", metavar="HOST[:PORT]", help="check this broker too")
    add_json(parser)
    parser.set_defaults(main=main)


def main(arguments: argparse.Namespace) -> int:
    """Print one line a finding; exit code 1 when one failed."""
    from edge_runtime.doctor import examine

    overrides = chain_overrides(arguments)
    if arguments.mqtt is not None:
        overrides |= split_host(arguments.mqtt)
    findings = examine(configured(arguments, overrides))
    failed = any(finding.state == "failed" for finding in findings)
    if arguments.json:
        print(json.dumps({"ok": not failed, "findings": [asdict(finding) for finding in findings]}))
    else:
        for finding in findings:
            print(f"{_MARKS[finding.state]}  {finding.subject:13} {finding.found}")
            if finding.remedy:
                print(f"{'':24}-> {finding.remedy}")
    return 1 if failed else 0
