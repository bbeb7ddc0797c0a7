"""Looks at this device as a person would who has to make it run, and says what to do. Nothing is changed.

Each file looks at one thing; files of the machine are read below a root folder, so that tests can give a whole board.
"""

from __future__ import annotations

from collections.abc import Mapping

from edge_runtime.doctor import accelerator, board, camera, libraries, nets, network, page, service, storage
from edge_runtime.doctor.finding import Finding, State, guarded
from edge_runtime.doctor.libraries import Software
from edge_runtime.doctor.machine import Machine
from edge_runtime.settings import Config

__all__ = ["Finding", "Machine", "Report", "Software", "State", "examine", "exit_code"]

Report = Mapping[str, list[Finding]]
"""Section -> its findings, in the order in which things can be mended: power before nets, nets before a camera."""


def examine(config: Config, machine: Machine | None = None, software: Software | None = None) -> Report:
    """Look at everything a run needs.

    Args:
        config: what would run.
        machine: files and user; None = this machine.
        software: libraries; None = those of this process.
    """
    machine, installed = machine or Machine(), software or Software()
    busy = service.runs(service.properties(machine))
    return {
        "Board": [*board.look(machine), *accelerator.look(machine, installed, config.models.device)],
        "Software": [*libraries.look(machine, installed), *nets.look(config)],
        "Camera": [
            *camera.look(machine, installed, config.source),
            guarded("source", lambda: camera.look_through(config.source, service_runs=busy)),
        ],
        "Network": [
            *network.look(machine, config.mqtt),
            guarded("page", lambda: page.look(config.web, service_runs=busy)),
        ],
        "Storage": storage.look(machine, config),
        "Service": service.look(machine, config),
    }


def exit_code(report: Report) -> int:
    """Return the code of the first failure: its cause as edge_runtime.errors numbers it; 0 when nothing failed."""
    failures = (finding for findings in report.values() for finding in findings if finding.state == "failed")
    return next((finding.exit_code for finding in failures), 0)
