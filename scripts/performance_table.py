"""Words and tables that all sections of docs/performance.md are made of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

Result: TypeAlias = dict[str, Any]
"""What one file of benchmarks/results holds."""

MISSING = "-"


def section(title: str, result: Result, body: str) -> str:
    """Put a heading, and the command, machine and commit of a result above its text."""
    about = result["environment"]
    made_by = (
        f"`{result['command']}`, {about['cpu']}, {about['cores']} cores, load {about['load_1min']}, "
        f"commit {about['commit']}, {about['date']}."
    )
    return f"\n## {title}\n\n{made_by}\n\n{body}"


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Write a Markdown table; None becomes a dash."""
    filled = ([MISSING if cell is None else str(cell) for cell in row] for row in rows)
    lines = [f"| {' | '.join(line)} |\n" for line in (head, *filled)]
    lines.insert(1, f"{'|---' * len(head)}|\n")
    return "".join(lines)


def percent(share: float | None, digits: int = 1) -> str:
    """Write a share 0..1 in percent."""
    return MISSING if share is None else f"{100 * share:.{digits}f} %"
