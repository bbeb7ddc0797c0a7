"""Verdicts in the form that a factory line's test server reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from xml.etree import ElementTree as ET

from edge_runtime.selftest.verdict import Verdict


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
        hostname=device.get("device_id", ""),
        tests=str(len(cases)),
        failures=str(sum(case.passed is False for case in cases)),
        errors="0",
        skipped=str(sum(case.passed is None for case in cases)),
        time=f"{sum(case.seconds for case in cases):.3f}",
    )
    properties = ET.SubElement(suite, "properties")
    for name, value in device.items():
        ET.SubElement(properties, "property", name=name, value=value)
    for case in cases:
        _add(suite, case)
    return bytes(ET.tostring(suite, encoding="utf-8", xml_declaration=True))


def _add(suite: ET.Element, verdict: Verdict) -> None:
    case = ET.SubElement(
        suite, "testcase", classname="emotion-edge", name=verdict.subject, time=f"{verdict.seconds:.3f}"
    )
    if verdict.passed is False:
        ET.SubElement(case, "failure", message=verdict.told)
    elif verdict.passed is None:
        ET.SubElement(case, "skipped", message=verdict.told)
    else:
        ET.SubElement(case, "system-out").text = verdict.told
