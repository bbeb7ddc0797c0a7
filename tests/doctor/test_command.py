"""`emotion-edge check` as a person and as a program read it."""

from __future__ import annotations

import json

import pytest

from edge_runtime.__main__ import main
from edge_runtime.cli.check import as_text
from edge_runtime.doctor import Finding, exit_code

FAILED = Finding("camera", "failed", "no such camera", "plug it in", exit_code=4)
WARNING = Finding("clock", "warning", "not known to be synchronized", "sudo timedatectl set-ntp true")
OK = Finding("numpy", "ok", "2.2.6")
OFF = Finding("power", "off", "measured on a Raspberry Pi only")


def test_the_report_of_a_machine_that_works_ends_well(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["check", "--source", "demo"])

    lines = capsys.readouterr().out.splitlines()
    assert code == 0
    assert [line for line in lines if line and not line.startswith(" ")][:-1] == [
        "Board",
        "Software",
        "Camera",
        "Network",
        "Storage",
        "Service",
    ]
    assert max(len(line) for line in lines if "->" not in line) <= 118


def test_a_camera_that_is_not_there_ends_with_the_cameras_code(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["check", "--source", "nowhere.mp4", "--json"])

    told = json.loads(capsys.readouterr().out)
    failed = [finding for finding in told["findings"] if finding["state"] == "failed"]
    assert code == told["exit_code"] == 4
    assert not told["ok"]
    assert [(finding["section"], finding["subject"]) for finding in failed] == [("Camera", "source")]


def test_a_remedy_stands_below_its_finding_in_one_piece() -> None:
    text = as_text({"Network": [WARNING], "Camera": [FAILED], "Board": [OFF]})

    assert text.splitlines() == [
        "Network",
        "  warning  clock               not known to be synchronized",
        "                               -> sudo timedatectl set-ntp true",
        "",
        "Camera",
        "  FAILED   camera              no such camera",
        "                               -> plug it in",
        "",
        "Board",
        "  -        power               measured on a Raspberry Pi only",
        "",
        "1 failed, 1 warning: `emotion-edge run` will not work like this",
    ]


@pytest.mark.parametrize(
    ("findings", "last_line"),
    [
        ([OK, OFF], "everything is as it should be"),
        ([OK, WARNING], "nothing failed, 1 warning: `emotion-edge run` can start"),
    ],
)
def test_the_last_line_sums_up(findings: list[Finding], last_line: str) -> None:
    assert as_text({"Board": findings}).splitlines()[-1] == last_line


def test_the_first_failure_decides_and_warnings_do_not_count() -> None:
    broker = Finding("broker", "failed", "refused", "start it", exit_code=6)

    assert exit_code({"Board": [OK, WARNING], "Camera": [FAILED], "Network": [broker]}) == 4
    assert exit_code({"Board": [OK, WARNING, OFF]}) == 0
