"""`emotion-edge check`: what this device has, what is missing, and the exact remedy."""

from __future__ import annotations

import argparse
import json
import textwrap
from dataclasses import asdict
from typing import TYPE_CHECKING, Final

from edge_runtime.cli.options import Verbs, add_chain, add_json, chain_overrides, configured, split_host, summary

if TYPE_CHECKING:
    from edge_runtime.doctor import Finding, Report

_MARKS: Final = {"ok": "ok     ", "warning": "warning", "failed": "FAILED ", "off": "-      "}
_SUBJECT_WIDTH: Final = 20
_INDENT: Final = " " * (2 + 7 + 2 + _SUBJECT_WIDTH)
_LINE_WIDTH: Final = 118

_EPILOG = """exit codes: 0 nothing failed (there may be warnings), otherwise the cause of the first failure:
1 failed, 3 configuration, 4 camera, 5 model, interpreter or accelerator, 6 broker"""


def add(verbs: Verbs) -> None:
    """Add the verb."""
    parser = verbs.add_parser(
        "check",
        help="say what is missing on this device",
        description=summary(__doc__),
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_chain(parser)
    parser.add_argument("--mqtt", metavar="HOST[:PORT]", help="check this broker too")
    add_json(parser)
    parser.set_defaults(main=main)


def main(arguments: argparse.Namespace) -> int:
    """Print one line a finding, by section; return the code of the first failure's cause."""
    from edge_runtime.doctor import examine, exit_code

    overrides = chain_overrides(arguments)
    if arguments.mqtt is not None:
        overrides |= split_host(arguments.mqtt)
    report = examine(configured(arguments, overrides))
    code = exit_code(report)
    print(json.dumps(_as_json(report, code)) if arguments.json else as_text(report))
    return code


def _as_json(report: Report, code: int) -> dict[str, object]:
    findings = [{"section": section, **asdict(finding)} for section, found in report.items() for finding in found]
    return {"ok": code == 0, "exit_code": code, "findings": findings}


def as_text(report: Report) -> str:
    """Lay the report out for a terminal: sections, one line a finding, the remedy below, a summary at the end."""
    lines: list[str] = []
    for section, findings in report.items():
        lines += [section, *(line for finding in findings for line in _lines(finding)), ""]
    return "\n".join([*lines, _summed_up(report)])


def _lines(finding: Finding) -> list[str]:
    head = f"  {_MARKS[finding.state]}  {finding.subject:{_SUBJECT_WIDTH}}"
    told = textwrap.wrap(finding.found, _LINE_WIDTH - len(_INDENT), break_long_words=False, break_on_hyphens=False)
    lines = [f"{head}{told[0] if told else ''}", *(f"{_INDENT}{line}" for line in told[1:])]
    # A remedy is not wrapped: whoever copies a command must get it in one piece.
    return [*lines, f"{_INDENT}-> {finding.remedy}"] if finding.remedy else lines


def _summed_up(report: Report) -> str:
    states = [finding.state for findings in report.values() for finding in findings]
    failures, warnings = states.count("failed"), states.count("warning")
    warned = f"{warnings} warning{'' if warnings == 1 else 's'}"
    if failures:
        return f"{failures} failed, {warned}: `emotion-edge run` will not work like this"
    if warnings:
        return f"nothing failed, {warned}: `emotion-edge run` can start"
    return "everything is as it should be"
