"""The unit under a real systemd: it starts, is watched, restarts, stops, and is locked in as far as it says."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.systemd.container import boot, install, system_copy

SCRIPT = """\
show() { echo "$1=$(systemctl show --value -p "$2" emotion-edge.service)"; }
wait_for() { for _ in $(seq 150); do eval "$1" && return; sleep 0.2; done; echo "waited in vain: $1" >&2; return 1; }

systemctl start emotion-edge.service
show started ActiveState
show said StatusText

systemctl reload emotion-edge.service
wait_for '[ "$(systemctl show --value -p StatusText emotion-edge.service)" = reloaded ]'
show reloaded StatusText

systemctl kill -s USR1 emotion-edge.service
wait_for '[ "$(systemctl show --value -p NRestarts emotion-edge.service)" = 1 ]'
wait_for 'systemctl is-active --quiet emotion-edge.service'
show restarts NRestarts

before=$(date +%s%N)
systemctl stop emotion-edge.service
echo "stop_ms=$((($(date +%s%N) - before) / 1000000))"
show stopped ActiveState
show stop_result Result

cp /chrony.conf /etc/systemd/system/emotion-edge.service.d/
systemctl daemon-reload
systemctl start emotion-edge.service
show said_with_chrony StatusText
systemctl stop emotion-edge.service

echo 3 >/etc/emotion-edge/exit-code
systemctl start emotion-edge.service || echo "refused=yes"
sleep 1
show after_3 ActiveState
show after_3_result Result
show after_3_restarts NRestarts
echo "driver=done"
"""
# Quick deadlines, so that the test is: the unit's own are 30 s and 5 s.
QUICK = "[Service]\nWatchdogSec=2\nRestartSec=0.2\n"


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Install below a copy of this system, boot it once, return what the script saw."""
    here = Path(__file__).parent
    with system_copy(tmp_path_factory.mktemp("system")) as root:
        install(root, here.parents[1], program=(here / "stand_in.py").read_text(), dropin=QUICK)
        shutil.copy(here.parents[1] / "systemd/dropins/chrony.conf", root)
        yield boot(root, SCRIPT)


@pytest.fixture
def sandbox(found: dict[str, str]) -> dict[str, str]:
    """Return what the process said of itself in its status line."""
    pairs = (word.partition(":") for word in found["said"].split(" "))
    return {name: value for name, _, value in pairs}


pytestmark = pytest.mark.slow


def test_it_is_active_once_it_has_said_ready(found: dict[str, str]) -> None:
    assert found["started"] == "active"


def test_it_runs_the_command_the_runtime_has(sandbox: dict[str, str]) -> None:
    assert sandbox["arguments"] == "run_--config_/etc/emotion-edge/config.toml"


def test_a_reload_is_a_hangup_signal(found: dict[str, str]) -> None:
    assert found["reloaded"] == "reloaded"


def test_the_watchdog_restarts_a_process_that_hangs(found: dict[str, str]) -> None:
    assert found["restarts"] == "1"


def test_it_stops_in_time_and_with_success(found: dict[str, str]) -> None:
    assert (found["stopped"], found["stop_result"]) == ("inactive", "success")
    assert int(found["stop_ms"]) < 5000


def test_a_wrong_configuration_is_not_tried_again(found: dict[str, str]) -> None:
    assert found["refused"] == "yes"
    assert (found["after_3"], found["after_3_result"], found["after_3_restarts"]) == ("failed", "exit-code", "0")


def test_it_runs_as_its_own_user_in_the_device_groups_without_privileges(sandbox: dict[str, str]) -> None:
    assert sandbox["uid"] != "0"
    assert {"video", "render", "plugdev"} <= set(sandbox["groups"].split(","))
    assert (sandbox["capabilities"], sandbox["no_new_privileges"], sandbox["seccomp"]) == ("none", "1", "2")
    assert sandbox["umask"] == "0077"


def test_it_writes_its_own_folders_and_nothing_else(sandbox: dict[str, str]) -> None:
    assert (sandbox["write_state"], sandbox["write_log"], sandbox["write_etc"]) == ("yes", "yes", "no")


def test_what_the_nets_need_is_there_and_writable_code_is_not(sandbox: dict[str, str]) -> None:
    assert sandbox["cpuinfo"] == "yes"
    assert sandbox["callback"] == "7"
    assert sandbox["writable_code"] == "no"


def test_it_has_the_network_it_needs_and_no_raw_packets(sandbox: dict[str, str]) -> None:
    assert (sandbox["inet"], sandbox["netlink"], sandbox["packet"]) == ("yes", "yes", "no")


def test_the_kernel_is_asked_for_the_clock_with_the_dropin_alone(found: dict[str, str]) -> None:
    assert " ask_clock:no " in found["said"]
    assert " ask_clock:yes " in found["said_with_chrony"]
    assert " capabilities:none " in found["said_with_chrony"]
