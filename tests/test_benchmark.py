"""`emotion-edge bench` on this machine, and on files of others."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge_runtime.__main__ import main
from edge_runtime.benchmark import machine as described
from edge_runtime.benchmark import measure, peak_resident_mb
from edge_runtime.cli.bench import as_text
from edge_runtime.errors import SourceError
from edge_runtime.settings import Config, Source
from tests.doctor.machines import machine, put, throttled_path

DEMO = Config(source=Source(uri="demo"))


@pytest.fixture(scope="module")
def on_a_pi_4(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Measure this machine, judged as if it were a Raspberry Pi 4."""
    root = tmp_path_factory.mktemp("pi4")
    machine(root, "pi4")
    return measure(DEMO, frames=5, root=root)


def test_every_net_is_set_against_the_limits_of_the_board(on_a_pi_4: dict[str, Any]) -> None:
    assert on_a_pi_4["reference"] == {"peak_gmac_s": 57.6, "published_gmac_s": 23.7}
    assert set(on_a_pi_4["nets"]) == {"keypoints", "emotion", "faces"}
    for net in on_a_pi_4["nets"].values():
        assert net["x_ref"] == pytest.approx(net["p50_ms"] / (net["mmac"] / 23.7), rel=0.05, abs=0.01)
        assert net["x_limit"] == pytest.approx(net["p50_ms"] / (net["mmac"] / 57.6), rel=0.05, abs=0.1)
        assert net["p95_ms"] >= net["p50_ms"] > 0


def test_a_person_reads_the_board_and_how_far_from_it_each_net_is(on_a_pi_4: dict[str, Any]) -> None:
    lines = list(as_text(on_a_pi_4))

    assert lines[0].startswith("Raspberry Pi 4 Rev 1.2, ")
    assert "with XNNPACK, 1 thread; detector faces" in lines[1]
    assert "net             MMAC    p50 ms    p95 ms    GMAC/s   x limit   x ref" in lines
    assert "limit: 57.6 GMAC/s; ref: 23.7, the best published" in lines
    assert max(map(len, lines)) <= 118


def test_start_and_memory_are_told(on_a_pi_4: dict[str, Any]) -> None:
    cold = on_a_pi_4["cold_start"]

    assert 0 < cold["nets_open_s"] <= cold["first_answer_s"]
    assert on_a_pi_4["memory_mb"] > 20
    assert on_a_pi_4["xnnpack"] is True


def test_memory_is_told_in_millions_of_bytes() -> None:
    before_mb = peak_resident_mb()

    held = np.ones(100_000_000, np.uint8)

    assert held.all()
    # Some of the 100 MB may lie where something lay before; a fiftieth is what the kernel counts late.
    assert 100 * 0.98 < peak_resident_mb() < before_mb + 100 * 1.02


def test_memory_of_the_program_that_started_this_one_does_not_count() -> None:
    held = np.ones(200_000_000, np.uint8)
    program = "from edge_runtime.benchmark import peak_resident_mb; print(peak_resident_mb())"

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)

    assert held.all()
    assert 20 < float(done.stdout) < 150


def test_a_pc_has_no_reference(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["bench", "--frames", "3", "--json"])

    found = json.loads(capsys.readouterr().out)
    lines = list(as_text(found))
    assert code == 0
    assert found["reference"] is None
    assert "no reference for this board" in lines
    assert not any("x limit" in line for line in lines)
    assert found["nets"]["emotion"]["gmac_s"] > 0


def test_what_disturbs_a_measurement_is_told(tmp_path: Path, on_a_pi_4: dict[str, Any]) -> None:
    machine(tmp_path, "pi4")
    put(tmp_path, throttled_path("pi4"), "50005\n")
    put(tmp_path, "sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "ondemand\n")

    text = "\n".join(as_text({**on_a_pi_4, "machine": described(tmp_path)}))

    assert "governor is ondemand" in text
    assert "held back now: under_voltage, throttled" in text


def test_nets_without_xnnpack_are_told(on_a_pi_4: dict[str, Any]) -> None:
    assert "WITHOUT XNNPACK" in list(as_text({**on_a_pi_4, "xnnpack": False}))[1]


def test_a_runtime_that_does_not_list_operators_leaves_the_comparison_out(on_a_pi_4: dict[str, Any]) -> None:
    times_only = {
        kind: {key: net[key] for key in ("model", "p50_ms", "p95_ms", "runs")}
        for kind, net in on_a_pi_4["nets"].items()
    }

    lines = list(as_text({**on_a_pi_4, "nets": times_only}))

    assert any(line.startswith("emotion            ?") for line in lines)


def test_a_source_that_ends_during_the_warm_up_is_refused(tmp_path: Path) -> None:
    (tmp_path / "one.pgm").write_bytes(b"P5 64 48 255\n" + bytes(64 * 48))

    with pytest.raises(SourceError, match="too few to measure"):
        measure(Config(source=Source(uri=str(tmp_path))), frames=5)
