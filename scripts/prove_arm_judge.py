"""What the findings of scripts/prove_arm.py mean; nothing here runs a program."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
from numpy.typing import NDArray

from edge_runtime.contract import KERNEL_STEPS, reference_steps

Answers = Mapping[str, NDArray[np.int8]]


def differences(here: Answers, there: Answers) -> dict[str, dict[str, Any]]:
    """Compare two machines' answers, net by net and kernels by kernels.

    Args:
        here: by `net/kernels/output`; `recorded` stands for the bundle's own golden answers.
        there: the same of the other machine.

    Returns:
        By net: for each comparison the largest difference in int8 steps and the share of values that differ.
    """
    table: dict[str, dict[str, Any]] = {}
    comparisons = {
        "reference_to_recorded": ("recorded", "reference"),
        "optimised_to_recorded": ("recorded", "optimised"),
        "optimised_to_this_machine": ("optimised", "optimised"),
    }
    for net in sorted({key.partition("/")[0] for key in there}):
        outputs = sum(key.startswith(f"{net}/recorded/") for key in there)
        table[net] = {}
        for name, (kernels_here, kernels_there) in comparisons.items():
            pairs = [
                (here[f"{net}/{kernels_here}/{index}"], there[f"{net}/{kernels_there}/{index}"])
                for index in range(outputs)
            ]
            off = np.concatenate([np.abs(a.astype(np.int16) - b.astype(np.int16)).ravel() for a, b in pairs])
            table[net][name] = {"steps": int(off.max()), "differ_percent": round(100 * float((off > 0).mean()), 2)}
    return table


def broken(table: Mapping[str, Mapping[str, Any]], nets: Mapping[str, Any]) -> list[str]:
    """Return what is outside the contract: of reference kernels and of optimised ones."""
    found = []
    for net, compared in table.items():
        allowed = KERNEL_STEPS[nets[net]["kind"]]
        limits = {"reference_to_recorded": reference_steps(nets[net]["runtime"]), "optimised_to_recorded": allowed}
        found += [
            f"{net}: {name} is {compared[name]['steps']} steps, at most {limit}"
            for name, limit in limits.items()
            if compared[name]["steps"] > limit
        ]
    return found


def counts(junit: bytes) -> dict[str, Any]:
    """Return how many tests passed, failed and were skipped, and the names of those that failed."""
    suite = ET.fromstring(junit)  # noqa: S314  written by our own pytest
    cases = list(suite.iter("testcase"))
    failed = [case for case in cases if case.find("failure") is not None or case.find("error") is not None]
    skipped = sum(case.find("skipped") is not None for case in cases)
    names = sorted(f"{case.get('classname')}::{case.get('name')}" for case in failed)
    return {"passed": len(cases) - len(failed) - skipped, "failed": len(failed), "skipped": skipped, "names": names}


def page_alignment(readelf: str) -> int:
    """Return the smallest alignment of the segments that are mapped, in bytes.

    Args:
        readelf: output of `readelf --segments --wide` for one shared object.
    """
    loads = re.findall(r"^\s+LOAD\s.*\s(0x[0-9a-f]+)$", readelf, re.MULTILINE)
    return min(int(load, 16) for load in loads)
