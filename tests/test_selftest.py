"""The self-test as a factory line uses it."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from edge_runtime.__main__ import main
from tests.broker import Mosquitto, broker

__all__ = ["broker"]


def test_nets_and_demo_pass_and_a_missing_broker_is_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    junit = tmp_path / "verdicts.xml"

    code = main(["selftest", "--source", "demo", "--seconds", "0.2", "--junit", str(junit), "--json"])

    told = json.loads(capsys.readouterr().out)
    assert code == 0
    assert [verdict["passed"] for verdict in told["verdicts"]] == [True] * 7 + [None]
    suite = ET.fromstring(junit.read_bytes())  # noqa: S314  our own file
    assert suite.get("failures") == "0"
    assert len(suite.findall("testcase")) == len(told["verdicts"])


def test_a_source_that_is_not_there_fails_and_the_rest_is_still_proven(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["selftest", "--source", "nowhere.mp4", "--json"])

    verdicts = {verdict["subject"]: verdict for verdict in json.loads(capsys.readouterr().out)["verdicts"]}
    assert code == 1
    assert verdicts["source"]["passed"] is False
    assert "no such file" in verdicts["source"]["told"]
    assert verdicts["emotion, cpu"]["passed"] is True


@pytest.mark.broker
def test_a_broker_acknowledges_one_event(broker: Mosquitto, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["selftest", "--source", "demo", "--seconds", "0.1", "--mqtt", f"127.0.0.1:{broker.port}", "--json"])

    told = json.loads(capsys.readouterr().out)["verdicts"][-1]
    assert code == 0
    assert told["told"] == "127.0.0.1: one event acknowledged"
