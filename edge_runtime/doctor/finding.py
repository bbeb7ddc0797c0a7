"""One line of the report: what was looked at, how it is, and the remedy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from edge_runtime.errors import EdgeRuntimeError

State: TypeAlias = Literal["ok", "warning", "failed", "off"]


@dataclass(frozen=True)
class Finding:
    """What one look found."""

    subject: str
    state: State
    """off = does not apply to this machine or this configuration."""
    found: str
    remedy: str = ""
    """What to type or to do; empty when nothing is to be done."""
    exit_code: int = 0
    """Of a failure: what the command ends with, as edge_runtime.errors numbers the causes."""


def ok(subject: str, found: str) -> Finding:
    """As it should be."""
    return Finding(subject, "ok", found)


def off(subject: str, found: str) -> Finding:
    """Nothing to look at here."""
    return Finding(subject, "off", found)


def warning(subject: str, found: str, remedy: str) -> Finding:
    """It runs, but not as well as it could, or not for long."""
    return Finding(subject, "warning", found, remedy)


def failed(subject: str, found: str, remedy: str, *, exit_code: int = 1) -> Finding:
    """It does not run like this."""
    return Finding(subject, "failed", found, remedy, exit_code)


def guarded(subject: str, look: Callable[[], Finding]) -> Finding:
    """Turn an expected error into a finding; its message ends with the remedy after the last semicolon."""
    try:
        return look()
    except EdgeRuntimeError as error:
        found, _, remedy = str(error).rpartition("; ")
        return failed(subject, found or str(error), remedy if found else "", exit_code=error.exit_code)
