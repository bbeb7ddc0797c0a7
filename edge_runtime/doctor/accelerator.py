"""The Coral accelerator: on the bus, its node, its group, its library, and whether the interpreter fits it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from edge_runtime.doctor.elf import page_alignment
from edge_runtime.doctor.finding import Finding, State, off, ok
from edge_runtime.doctor.libraries import Software
from edge_runtime.doctor.machine import Machine
from edge_runtime.errors import ModelError

USB_IDS: Final = {"1a6e:089a": "before its first use", "18d1:9302": "in use before"}
"""The stick changes its name when libedgetpu has loaded its firmware."""

_LIBRARY: Final = "libedgetpu.so.1"
_LIBRARY_FOLDERS: Final = ("usr/lib/*-linux-gnu*", "usr/lib", "usr/local/lib", "lib/*-linux-gnu*")
_PAGE: Final = "docs/deploy-coral.md"


def look(machine: Machine, software: Software, device: str) -> list[Finding]:
    """Look for an accelerator; trouble is a failure when the configuration wants one, else a warning.

    Args:
        machine: where to look.
        software: the interpreter and the page size.
        device: models.device of the configuration.
    """
    wanted = device.startswith("edgetpu")
    nodes = _nodes(machine)
    if not nodes and not wanted:
        return [off("accelerator", "none is plugged in, and models.device = cpu")]
    findings = [_on_the_bus(nodes, wanted=wanted), *(_node(machine, path, name, wanted=wanted) for path, name in nodes)]
    return [*findings, _library(machine, software, wanted=wanted)]


def _trouble(subject: str, found: str, remedy: str, *, wanted: bool) -> Finding:
    state: State = "failed" if wanted else "warning"
    return Finding(subject, state, found, remedy, ModelError.exit_code if wanted else 0)


def _nodes(machine: Machine) -> list[tuple[Path, str]]:
    """Device node and name of every accelerator."""
    found = [(path, f"/dev/{path.name}") for path in machine.names("dev/apex_*")]
    for vendor in machine.names("sys/bus/usb/devices/*/idVendor"):
        folder = str(vendor.parent.relative_to(machine.root))
        read = {name: machine.text(f"{folder}/{name}") for name in ("idVendor", "idProduct", "speed")}
        usb_id = f"{read['idVendor']}:{read['idProduct']}"
        bus, number = machine.number(f"{folder}/busnum"), machine.number(f"{folder}/devnum")
        if usb_id in USB_IDS:
            node = machine.path(f"dev/bus/usb/{bus or 0:03d}/{number or 0:03d}")
            speed = f", {read['speed']} Mbit/s" if read["speed"] else ""
            found.append((node, f"USB {usb_id} ({USB_IDS[usb_id]}{speed})"))
    return found


def _on_the_bus(nodes: list[tuple[Path, str]], *, wanted: bool) -> Finding:
    if not nodes:
        found = f"neither USB {' nor '.join(USB_IDS)} nor /dev/apex_*"
        return _trouble("accelerator", found, f"plug it in, or load its driver; see {_PAGE}", wanted=wanted)
    slow = any(", 480 Mbit/s" in name or ", 12 Mbit/s" in name for _, name in nodes)
    found = ", ".join(name for _, name in nodes)
    if slow:
        return Finding("accelerator", "warning", f"{found}: USB 2", "use a blue socket, where the board has one")
    return ok("accelerator", found)


def _node(machine: Machine, path: Path, name: str, *, wanted: bool) -> Finding:
    subject = "accelerator node"
    shown = f"/{path.relative_to(machine.root)}"
    if not path.exists():
        return _trouble(subject, f"{shown} is not there", "unplug it and plug it in again", wanted=wanted)
    if machine.may_open(path):
        return ok(subject, f"{shown} can be opened")
    group = machine.group_name(path.stat().st_gid)
    if group in {"root", "0"}:
        remedy = "sudo emotion-firmware apply PROFILE /, then: sudo udevadm control --reload && sudo udevadm trigger"
    else:
        remedy = f"sudo usermod --append --groups {group} {machine.users.get(machine.uid, '$USER')}, then log in again"
    return _trouble(subject, f"{shown} ({name}) is group {group}'s; this user may not open it", remedy, wanted=wanted)


def _library(machine: Machine, software: Software, *, wanted: bool) -> Finding:
    subject = "accelerator library"
    found = next((path for folder in _LIBRARY_FOLDERS for path in machine.names(f"{folder}/{_LIBRARY}")), None)
    runtimes = [name for name in ("ai-edge-litert", "tflite-runtime") if name in software.versions]
    pair = f"beside {' and '.join(f'{name} {software.versions[name]}' for name in runtimes) or 'no interpreter'}"
    if found is None:
        return _trouble(subject, f"{_LIBRARY} is not installed", f"install libedgetpu1-std, see {_PAGE}", wanted=wanted)
    shown = f"/{found.relative_to(machine.root)}"
    alignment = page_alignment(found)
    if alignment is not None and alignment < software.page_bytes:
        told = f"{shown} is aligned to {alignment // 1024} KiB, this kernel has pages of {software.page_bytes // 1024}"
        remedy = "write kernel=kernel8.img into /boot/firmware/config.txt, then: sudo reboot"
        return _trouble(subject, told, remedy, wanted=wanted)
    if "pycoral" in software.versions:
        told = f"{shown} {pair}; the package pycoral of the Python index is not Google's"
        return _trouble(subject, told, f"{software.prefix}/bin/pip uninstall --yes pycoral", wanted=wanted)
    if wanted:
        return ok(subject, f"{shown} {pair}; the nets below say whether they fit")
    return Finding(subject, "warning", f"{shown} {pair}, but models.device = cpu", "to use it: --device edgetpu")
