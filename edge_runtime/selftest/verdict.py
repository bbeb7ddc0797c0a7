"""A case proves one thing; a verdict is how that ended."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from edge_runtime.errors import EdgeRuntimeError


@dataclass(frozen=True)
class Case:
    """One thing to prove."""

    subject: str
    prove: Callable[[], str | None]
    """Return what was found; None = nothing of the kind is configured. Raise EdgeRuntimeError = not as it should be."""


@dataclass(frozen=True)
class Verdict:
    """How one proof ended."""

    subject: str
    passed: bool | None
    """None = left out."""
    told: str
    seconds: float
    exit_code: int = 0
    """Of a failure: its cause, as edge_runtime.errors numbers it."""


def verdict(case: Case) -> Verdict:
    """Run one proof."""
    started = time.monotonic()
    passed: bool | None
    code = 0
    try:
        told = case.prove()
        passed = None if told is None else True
    except EdgeRuntimeError as error:
        told, passed, code = str(error), False, error.exit_code
    return Verdict(case.subject, passed, told or "nothing configured", round(time.monotonic() - started, 3), code)
