"""Verdicts in the form that a factory line's test server reads."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final
from xml.etree import ElementTree as ET

from edge_runtime.selftest.verdict import Verdict

_NOT_IN_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no XML text may hold, in whatever form. Source: XML 1.0, production 2."""


def as_junit(verdicts: Iterable[Verdict], device: Mapping[str, str]) -> bytes:
    """Write one suite.

    Args:
        verdicts: one case each.
        device: what was tested; becomes the suite's properties.
    """
    cases = list(verdicts)
    suite = ET.Element(
        "testsuite",
        name="emotion-edge selftest",
        hostname=_text(device.get("device_id", "")),
        tests=str(len(cases)),
        failures=str(sum(case.passed is False for case in cases)),
        errors="0",
        skipped=str(sum(case.passed is None for case in cases)),
        time=f"{sum(case.seconds for case in cases):.3f}",
    )
    properties = ET.SubElement(suite, "properties")
    for name, value in device.items():
        ET.SubElement(properties, "property", name=name, value=_text(value))
    for case in cases:
        _add(suite, case)
    return bytes(ET.tostring(suite, encoding="utf-8", xml_declaration=True))


def _add(suite: ET.Element, verdict: Verdict) -> None:
    told = _text(verdict.told)
    case = ET.SubElement(
        suite, "testcase", classname="emotion-edge", name=verdict.subject, time=f"{verdict.seconds:.3f}"
    )
    if verdict.passed is False:
        ET.SubElement(case, "failure", message=told)
    elif verdict.passed is None:
        ET.SubElement(case, "skipped", message=told)
    else:
        ET.SubElement(case, "system-out").text = told


def _text(told: str) -> str:
    """What a broker or a driver says may hold anything; one such character would make the whole file unreadable."""
    return _NOT_IN_XML.sub("\ufffd", told)
