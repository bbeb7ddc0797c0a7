"""The runtime itself in the unit, under a real systemd: it runs, keeps its pace, is watched, stops clean."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import sysconfig
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.systemd.container import boot, install, show, system_copy

SYSTEM_PYTHON = "/usr/bin/python3"
LIBRARY = "opt/emotion-edge/lib"
LIBRARIES = "opt/emotion-edge/libraries"
EVENTS = "var/log/emotion-edge/events.jsonl"
# The unit with the demo source and quick deadlines; 5 s, because the first sign of life comes after the models load.
# With the page on, the demo runs at a camera's pace and begins anew at its end, as long as the unit lives.
QUICK = """\
[Service]
ExecStart=
ExecStart=/opt/emotion-edge/bin/emotion-edge run --config /etc/emotion-edge/config.toml --source demo --web 8080
WatchdogSec=5
TimeoutAbortSec=2
RestartSec=0.2
"""
# The same sandbox around a measurement.
MEASURE = """\
[Service]
Type=oneshot
Restart=no
WatchdogSec=0
ExecStart=
ExecStart=/opt/emotion-edge/bin/emotion-edge bench --source demo --frames 100 --json
StandardOutput=append:/var/log/inside.jsonl
StandardError=journal
"""
SCRIPT = """\
show() { echo "$1=$(systemctl show --value -p "$2" emotion-edge.service)"; }
wait_for() { for _ in $(seq 150); do eval "$1" && return; sleep 0.2; done; echo "waited in vain: $1" >&2; return 1; }
unit=/etc/systemd/system/emotion-edge.service.d/zz-test.conf

systemctl start emotion-edge.service
show started ActiveState
wait_for '[ -s /var/log/emotion-edge/events.jsonl ]'
sleep 3
show said StatusText

systemctl kill --kill-whom=main -s STOP emotion-edge.service
wait_for '[ "$(systemctl show --value -p NRestarts emotion-edge.service)" = 1 ]'
wait_for 'systemctl is-active --quiet emotion-edge.service'
show restarts NRestarts
sleep 3

before=$(date +%s%N)
systemctl stop emotion-edge.service
echo "stop_ms=$((($(date +%s%N) - before) / 1000000))"
show stop_result Result

cp /measure.conf "$unit"
systemctl daemon-reload
for _ in 1 2 3; do
    systemctl start emotion-edge.service
    /opt/emotion-edge/bin/emotion-edge bench --source demo --frames 100 --json >>/var/log/outside.jsonl
done
echo "driver=done"
"""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Boot a copy of this system with the runtime of this source tree once; yields its root after the shutdown."""
    pytest.importorskip("skimage", reason="the demo source needs scikit-image: pip install 'emotion-edge[demo]'")
    repository = Path(__file__).resolve().parents[2]
    with system_copy(tmp_path_factory.mktemp("system")) as root:
        show(root, _libraries_for_the_system_python(), LIBRARIES)
        shutil.copytree(repository / "edge_runtime", root / LIBRARY / "edge_runtime")
        program = f'#!/bin/sh\nPYTHONPATH=/{LIBRARY}:/{LIBRARIES} exec {SYSTEM_PYTHON} -m edge_runtime "$@"\n'
        install(root, repository, program=program, dropin=QUICK)
        (root / "measure.conf").write_text(MEASURE)
        (root / "said.json").write_text(json.dumps(boot(root, SCRIPT)))
        yield root


def _libraries_for_the_system_python() -> str:
    """Return this environment's libraries; its own interpreter may be in a home folder, which the unit cannot see."""
    libraries = sysconfig.get_path("platlib")
    version = subprocess.run([SYSTEM_PYTHON, "-V"], capture_output=True, text=True, timeout=60, check=False).stdout
    if not version.startswith(f"Python {sys.version_info.major}.{sys.version_info.minor}."):
        pytest.skip(f"{SYSTEM_PYTHON} is {version.strip() or 'missing'}: it cannot load the libraries in {libraries}")
    return libraries


@pytest.fixture
def found(system: Path) -> dict[str, str]:
    said: dict[str, str] = json.loads((system / "said.json").read_text())
    return said


@pytest.fixture
def written(system: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (system / EVENTS).read_text().splitlines()]


def test_it_is_ready_and_tells_its_state(found: dict[str, str]) -> None:
    assert found["started"] == "active"
    assert found["said"] == "running, camera running"


def test_a_frozen_process_is_ended_and_started_again(found: dict[str, str]) -> None:
    assert found["restarts"] == "1"


def test_it_stops_within_five_seconds_and_with_success(found: dict[str, str]) -> None:
    assert found["stop_result"] == "success"
    assert int(found["stop_ms"]) < 5000


def test_both_lives_wrote_whole_lines_in_the_log_folder(written: list[dict[str, Any]]) -> None:
    assert len({line["boot_id"] for line in written if "boot_id" in line}) == 2


def test_every_start_of_the_life_that_was_stopped_has_its_end(written: list[dict[str, Any]]) -> None:
    last = [line["boot_id"] for line in written if "boot_id" in line][-1]

    kinds = Counter(line["event_type"] for line in written if line.get("boot_id") == last and "event_type" in line)

    assert kinds["face_appeared"] > 0
    assert kinds["face_appeared"] == kinds["face_lost"]
    assert kinds["emotion_started"] == kinds["emotion_ended"]


@pytest.mark.parametrize("net", ["keypoints", "emotion"])
def test_a_net_is_as_fast_inside_the_sandbox_as_outside(system: Path, net: str) -> None:
    # A sandbox that costs LiteRT its fast kernels costs a factor of 7 and more; 1.5 leaves room for a busy machine.
    fastest = {}
    for where in ("inside", "outside"):
        runs = (system / f"var/log/{where}.jsonl").read_text().splitlines()
        fastest[where] = min(json.loads(run)["stages"][net]["p50_ms"] for run in runs)

    assert fastest["inside"] < 1.5 * fastest["outside"]
