"""The fleet benchmark counts right, on a small fleet."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.source_tree import ROOT

RESULT = ROOT / "benchmarks" / "results" / "fleet-of-a-test.json"


@pytest.mark.broker
@pytest.mark.slow
def test_a_small_fleet_survives_a_restart_of_its_broker_without_a_loss() -> None:
    command = [sys.executable, "-m", "benchmarks", "fleet", "--devices", "6", "--workers", "2", "--result", RESULT.stem]
    command += ["--seconds", "1", "--down", "1", "--event-every", "0.2", "--observation-every", "1"]

    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=180, check=False)
        found = json.loads(RESULT.read_text(encoding="utf-8"))
    finally:
        Path.unlink(RESULT, missing_ok=True)

    assert done.returncode == 0, done.stderr
    assert found["events"]["lost"] == 0
    assert found["events"]["sent"] == found["events"]["arrived"] > 20
    assert found["connect_storm"]["devices"] == found["reconnect"]["devices"] == 6
    assert 0.0 < found["reconnect"]["p50_s"] <= found["reconnect"]["max_s"] < 120.0
