"""The unit as systemd tells it, the service's user, core dumps."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_runtime.doctor import Finding, Machine
from edge_runtime.doctor.service import look, properties, runs
from edge_runtime.settings import Config, Deployment
from tests.doctor.machines import machine, only, program, put

RUNNING = {
    "LoadState": "loaded",
    "UnitFileState": "enabled",
    "ActiveState": "active",
    "Result": "success",
    "ExecMainCode": "0",
    "ExecMainStatus": "0",
    "NRestarts": "0",
}


def systemctl(root: Path, **changed: str) -> None:
    """Give the machine a systemd that answers like this."""
    lines = [f"echo {name}={value}" for name, value in {**RUNNING, **changed}.items()]
    program(root, "systemctl", "\n".join(['[ "$1 $2" = "show emotion-edge.service" ] || exit 1', *lines]))


def unit(root: Path) -> Finding:
    """Look at the unit of a healthy board."""
    return only(look(machine(root), Config()), "unit")


def test_a_running_service_is_ok_and_has_the_camera(tmp_path: Path) -> None:
    systemctl(tmp_path)

    assert unit(tmp_path) == Finding("unit", "ok", "enabled, active, 0 restarts")
    assert runs(properties(Machine(tmp_path)))


@pytest.mark.parametrize(
    ("changed", "remedy"),
    [
        ({"UnitFileState": "disabled"}, "sudo systemctl enable --now emotion-edge"),
        ({"ActiveState": "inactive"}, "sudo systemctl start emotion-edge"),
        ({"NRestarts": "7"}, "journalctl -u emotion-edge -n 200 -p warning"),
    ],
)
def test_a_service_that_will_not_last_is_a_warning(changed: dict[str, str], remedy: str, tmp_path: Path) -> None:
    systemctl(tmp_path, **changed)

    found = unit(tmp_path)

    assert (found.state, found.remedy) == ("warning", remedy)


@pytest.mark.parametrize(
    ("status", "why", "exit_code"),
    [("3", "the configuration", 3), ("4", "the camera", 4), ("5", "a model", 5), ("6", "the broker", 6)],
)
def test_a_service_that_ended_says_why_and_passes_the_code_on(
    status: str, why: str, exit_code: int, tmp_path: Path
) -> None:
    systemctl(tmp_path, ActiveState="failed", Result="exit-code", ExecMainCode="1", ExecMainStatus=status)

    found = unit(tmp_path)

    assert (found.state, found.exit_code) == ("failed", exit_code)
    assert found.found.endswith(f"it ended with exit-code, exit code {status} ({why})")
    assert found.remedy.startswith("journalctl -u emotion-edge")


def test_a_service_that_ended_with_another_code_fails_without_a_cause(tmp_path: Path) -> None:
    systemctl(tmp_path, ActiveState="failed", Result="exit-code", ExecMainCode="1", ExecMainStatus="134")

    assert unit(tmp_path).exit_code == 1


@pytest.mark.parametrize(
    ("result", "code", "status", "told"),
    # waitid(2): CLD_KILLED is 2, CLD_DUMPED is 3, and the status is the signal's number.
    [("watchdog", "3", "6", "watchdog, by signal SIGABRT"), ("signal", "2", "4", "signal, by signal SIGILL")],
)
def test_the_number_of_a_signal_is_no_exit_code(result: str, code: str, status: str, told: str, tmp_path: Path) -> None:
    systemctl(tmp_path, ActiveState="failed", Result=result, ExecMainCode=code, ExecMainStatus=status)

    found = unit(tmp_path)

    assert found.found.endswith(f"it ended with {told}")
    assert found.exit_code == 1


@pytest.mark.parametrize("script", ["exit 1", "echo LoadState=not-found", None])
def test_a_machine_without_the_unit_has_no_finding(script: str | None, tmp_path: Path) -> None:
    if script is not None:
        program(tmp_path, "systemctl", script)

    assert unit(tmp_path).state == "off"


def test_the_services_user_must_be_in_its_groups(tmp_path: Path) -> None:
    looked_at = machine(tmp_path)
    put(tmp_path, "etc/passwd", "emotion-edge:x:990:990::/var/lib/emotion-edge:/usr/sbin/nologin\n")
    missing = only(look(looked_at, Config()), "service user")
    put(
        tmp_path,
        "etc/group",
        "".join(f"{name}:x:{gid}:emotion-edge\n" for gid, name in enumerate(("video", "render", "plugdev"))),
    )
    complete = only(look(looked_at, Config()), "service user")

    assert missing.found == "emotion-edge is not in render (graphics nodes)"
    assert "systemd-sysusers" in missing.remedy
    assert complete.state == "ok"


@pytest.mark.parametrize(
    ("pattern", "state"),
    [
        ("core", "ok"),
        ("|/usr/lib/systemd/systemd-coredump %P %u", "ok"),
        ("|/usr/share/apport/apport %p", "ok"),
        ("|/opt/collect-crashes %p", "warning"),
    ],
)
def test_a_program_that_takes_core_dumps_in_any_case_is_told(pattern: str, state: str, tmp_path: Path) -> None:
    looked_at = machine(tmp_path)
    put(tmp_path, "proc/sys/kernel/core_pattern", f"{pattern}\n")

    assert only(look(looked_at, Config()), "core dumps").state == state


def test_where_faces_are_read_should_be_stated(tmp_path: Path) -> None:
    stated = Config(deployment=Deployment(context="private"))

    assert only(look(machine(tmp_path), Config()), "deployment").state == "warning"
    assert only(look(machine(tmp_path), stated), "deployment").found == "private"
