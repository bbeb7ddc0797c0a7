"""The service: its unit and how it ended, its user's groups, core dumps, and where faces are read."""

from __future__ import annotations

import signal
from typing import Final

from edge_runtime.doctor.finding import Finding, failed, off, ok, warning
from edge_runtime.doctor.machine import SERVICE_USER, Machine
from edge_runtime.errors import BrokerError, ConfigError, ModelError, SourceError, UsageError
from edge_runtime.settings import Config

GROUPS: Final = {"video": "cameras", "render": "graphics nodes", "plugdev": "a Coral stick"}
UNIT: Final = "emotion-edge.service"
_ENDED: Final = {
    UsageError.exit_code: "a wrong command line",
    ConfigError.exit_code: "the configuration",
    SourceError.exit_code: "the camera",
    ModelError.exit_code: "a model",
    BrokerError.exit_code: "the broker",
}
"""What the exit codes of `emotion-edge run` mean."""
_EXITED: Final = "1"
"""ExecMainCode is the kernel's CLD_EXITED: ExecMainStatus is an exit code then, and else the number of a signal.

Source: org.freedesktop.systemd1(5), waitid(2).
"""
_OBEY_LIMITS: Final = ("systemd-coredump", "apport")
"""Programs that take core dumps and leave out processes whose limit is 0."""


def look(machine: Machine, config: Config) -> list[Finding]:
    """Look at unit, user, core dumps and deployment."""
    return [unit(properties(machine)), _user(machine), _core_dumps(machine), deployment(config)]


def properties(machine: Machine) -> dict[str, str]:
    """What systemd says about the unit; empty where systemd does not run."""
    names = "LoadState,UnitFileState,ActiveState,Result,ExecMainCode,ExecMainStatus,NRestarts"
    lines = (machine.answer("systemctl", "show", UNIT, f"--property={names}") or "").splitlines()
    return {name: value for name, _, value in (line.partition("=") for line in lines)}


def runs(said: dict[str, str]) -> bool:
    """Whether the service is running now, camera included."""
    return said.get("ActiveState") in {"active", "activating", "reloading"}


def unit(said: dict[str, str]) -> Finding:
    """Judge what systemd says."""
    if said.get("LoadState", "not-found") == "not-found":
        return off("unit", "not installed, or no systemd here; see docs/deploy-pi.md")
    restarts = said.get("NRestarts", "0")
    found = f"{said.get('UnitFileState')}, {said.get('ActiveState')}, {restarts} restarts"
    if said.get("ActiveState") == "failed":
        how, exit_code = _end(said)
        remedy = "journalctl -u emotion-edge -n 50, then: sudo systemctl restart emotion-edge"
        return failed("unit", f"{found}; it ended with {said.get('Result')}, {how}", remedy, exit_code=exit_code)
    if said.get("UnitFileState") != "enabled":
        remedy = "sudo systemctl enable --now emotion-edge"
        return warning("unit", f"{found}: it does not start with the board", remedy)
    if not runs(said):
        return warning("unit", f"{found}: it does not run now", "sudo systemctl start emotion-edge")
    if restarts != "0":
        return warning("unit", f"{found} since it was started", "journalctl -u emotion-edge -n 200 -p warning")
    return ok("unit", found)


def _end(said: dict[str, str]) -> tuple[str, int]:
    """Say how the main process ended, and with which exit code `check` passes that on."""
    status = int(said.get("ExecMainStatus") or 0)
    if said.get("ExecMainCode") != _EXITED:
        known = {number.value: number.name for number in signal.Signals}
        return f"by signal {known.get(status, status)}" if status else "without a process", 1
    if status in _ENDED:
        return f"exit code {status} ({_ENDED[status]})", status
    return f"exit code {status}", 1


def _user(machine: Machine) -> Finding:
    if SERVICE_USER not in machine.users.values():
        return off("service user", f"no user {SERVICE_USER}; the service is not installed")
    missing = [name for name in GROUPS if SERVICE_USER not in (machine.members(name) or ())]
    if missing:
        told = ", ".join(f"{name} ({GROUPS[name]})" for name in missing)
        remedy = "sudo systemd-sysusers && sudo systemctl try-restart emotion-edge"
        return warning("service user", f"{SERVICE_USER} is not in {told}", remedy)
    return ok("service user", f"{SERVICE_USER} is in {', '.join(GROUPS)}")


def _core_dumps(machine: Machine) -> Finding:
    """A core file of this process would hold pictures. `run` sets the limit to 0; a pipe may not ask for it."""
    pattern = machine.text("proc/sys/kernel/core_pattern")
    if pattern is None:
        return off("core dumps", "/proc/sys/kernel/core_pattern cannot be read")
    if pattern.startswith("|") and not any(name in pattern for name in _OBEY_LIMITS):
        found = f"{pattern.split()[0].lstrip('|')} gets core dumps whatever the limit is; they would hold pictures"
        return warning("core dumps", found, "sudo sysctl --write kernel.core_pattern=core")
    return ok("core dumps", "off while `emotion-edge run` runs")


def deployment(config: Config) -> Finding:
    """Say where faces are read, or that nobody said so."""
    context = config.deployment.context
    if context == "unspecified":
        return warning(
            "deployment", "where faces are read is not stated", "set deployment.context, see docs/privacy.md"
        )
    return ok("deployment", context)
