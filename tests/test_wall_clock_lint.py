"""No interval is computed from the wall clock: who asks a Clock for UTC writes it down and does nothing else."""

from __future__ import annotations

import ast

from tests.source_tree import sources
from tests.test_architecture import report

READS_NOW = {"asctime", "ctime", "gmtime", "localtime", "strftime", "time", "time_ns"}
"""Functions of `time` that read the wall clock, the first ones when they are called without a time."""
MAY_READ = {"edge_runtime.clock"}
KEEPS_UTC = {
    "edge_runtime.clock": "makes it",
    "edge_runtime.events": "start_time is the time of the end less a duration of the other clock",
    "edge_runtime.cli.record": "notes when a recording began",
    "edge_runtime.replay": "is a clock itself",
    "edge_runtime.sinks.jsonl": "asks how old the lines of an earlier start are, of a clock that is right",
    "edge_runtime.testing.fakes": "is a clock itself",
}


def test_nothing_but_the_clock_reads_the_wall_clock_under_another_name() -> None:
    found = []
    for source in sources("edge_runtime"):
        if source.module in MAY_READ:
            continue
        for node in ast.walk(source.tree):
            if isinstance(node, ast.ImportFrom) and node.module == "time":
                names = {alias.name for alias in node.names} & READS_NOW
                found += [f"{source.where}:{node.lineno}: imports {name} from time; take a Clock" for name in names]
            if isinstance(node, ast.Call) and _reads_now(node):
                found.append(f"{source.where}:{node.lineno}: {ast.unparse(node)}; take a Clock")

    assert not found, report(found)


def test_utc_is_written_down_and_nothing_is_computed_from_it() -> None:
    found = []
    for source in sources("edge_runtime"):
        if source.module in KEEPS_UTC:
            continue
        written = {id(argument) for node in ast.walk(source.tree) for argument in _written(node)}
        found += [
            f"{source.where}:{node.lineno}: {ast.unparse(node)} is not handed to rfc3339; "
            f"durations come from Clock.monotonic()"
            for node in ast.walk(source.tree)
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "utc"
            and id(node) not in written
        ]

    assert not found, report(found)


def _reads_now(node: ast.Call) -> bool:
    called = node.func
    if not (isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name) and called.value.id == "time"):
        return False
    if called.attr == "clock_gettime":
        return "REALTIME" in ast.unparse(node)
    return called.attr in {"time", "time_ns"} or (
        called.attr in READS_NOW and len(node.args) < (2 if called.attr == "strftime" else 1)
    )


def _written(node: ast.AST) -> list[ast.expr]:
    """Return what a call of rfc3339 is given."""
    is_rfc3339 = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "rfc3339"
    return node.args if isinstance(node, ast.Call) and is_rfc3339 else []
