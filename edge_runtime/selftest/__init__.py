"""Proves on the device itself that nets, source, disk and broker do their job, one verdict each."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from edge_runtime._version import __version__
from edge_runtime.config import device_id
from edge_runtime.selftest import broker, nets, source, storage
from edge_runtime.selftest.junit import as_junit
from edge_runtime.selftest.verdict import Case, Verdict, verdict
from edge_runtime.settings import Config

__all__ = ["CASES", "Case", "Verdict", "as_junit", "described", "prove"]

CASES: Final[tuple[Callable[[Config, float], Iterator[Case]], ...]] = (
    nets.cases,
    source.cases,
    storage.cases,
    broker.cases,
)
"""Every proof there is: a function of the configuration and the seconds to read the source for. Add yours here."""


def prove(config: Config, *, capture_s: float) -> Iterator[Verdict]:
    """Run every proof, each when it is asked for; one that fails does not keep the next from running.

    Args:
        config: what would run.
        capture_s: how long the source is read, seconds.
    """
    for cases in CASES:
        for case in cases(config, capture_s):
            yield verdict(case)


def described(config: Config, root: Path = Path("/")) -> dict[str, str]:
    """Say which device was tested: what a factory line files the verdicts under.

    Args:
        config: gives the device's id.
        root: folder that holds /proc.
    """
    return {
        "device_id": device_id(config),
        "board": _device_tree(root, "model") or platform.machine(),
        "serial": _device_tree(root, "serial-number") or "unknown",
        "system": platform.platform(),
        "emotion-edge": __version__,
    }


def _device_tree(root: Path, name: str) -> str:
    """Read a string of the device tree, which ends with a NUL; empty on a PC."""
    try:
        return (root / "proc/device-tree" / name).read_text(encoding="utf-8", errors="replace").rstrip("\0\n")
    except OSError:
        return ""
