"""The camera: which are there, whether this user may open them, and whether the configured source gives frames."""

from __future__ import annotations

import importlib
import importlib.util
import itertools
import sys
from pathlib import Path
from typing import Any, Final

from edge_runtime.capture import captured
from edge_runtime.doctor.finding import Finding, failed, off, ok, warning
from edge_runtime.doctor.libraries import Software
from edge_runtime.doctor.machine import Machine
from edge_runtime.errors import SourceError
from edge_runtime.settings import Source
from edge_runtime.sources.uri import known_source
from edge_runtime.wiring import open_source

_NODES: Final = ("dev/video*", "dev/media*", "dev/dma_heap/*")
_FRAMES_LOOKED_AT: Final = 5
_SYSTEM_PICAMERA2: Final = "usr/lib/python3/dist-packages/picamera2"
_CAMERA: Final = SourceError.exit_code


def look(machine: Machine, software: Software, source: Source) -> list[Finding]:
    """Look at picamera2, the cameras, their nodes and the source."""
    return [
        _picamera2(machine, software, wanted=_is_picamera(source.uri)),
        _cameras(machine),
        _permissions(machine),
    ]


def look_through(source: Source, *, service_runs: bool) -> Finding:
    """Read a few frames; SourceError when there are none.

    Args:
        source: settings of it.
        service_runs: the service has the camera, which serves one program at a time.
    """
    opened = open_source(source)
    try:
        with captured(opened, timeout_s=source.timeout_s) as frames:
            first = list(itertools.islice(frames, _FRAMES_LOOKED_AT))
    except SourceError as error:
        if service_runs and opened.live:
            remedy = "stop the service first: sudo systemctl stop emotion-edge"
            return warning("source", f"{error}; the running service may have it", remedy)
        raise
    if not first:
        return failed("source", f"{opened.name}: opens, but gives no frame", "try another --source", exit_code=_CAMERA)
    frame = first[-1]
    found = f"{opened.name}: {frame.width} x {frame.height}, mean grey level {frame.pixels.mean():.0f}"
    if frame.pixels.std() < 2:
        return warning("source", f"{found}, all of one shade", "take the lens cap off, or check the light")
    return ok("source", found)


def _is_picamera(uri: str) -> bool:
    known = known_source(uri)
    return known is not None and known.kind == "picamera"


def _picamera2(machine: Machine, software: Software, *, wanted: bool) -> Finding:
    """Ribbon cables need picamera2, which comes with the system's libcamera and never from pip."""
    if "picamera2" not in sys.modules and importlib.util.find_spec("picamera2") is None:
        if not machine.is_raspberry_pi and not wanted:
            return off("picamera2", "not installed; only ribbon cameras need it")
        return _missing_picamera2(machine, software, wanted=wanted)
    try:
        module: Any = importlib.import_module("picamera2")
        cameras = [str(camera.get("Model", "?")) for camera in module.Picamera2.global_camera_info()]
    except Exception as error:  # noqa: BLE001  it raises what libcamera's bindings make of a missing library
        remedy = "sudo apt install --yes --reinstall python3-picamera2 python3-libcamera"
        found = f"cannot be used: {type(error).__name__}: {error}"
        return _missing("picamera2", found, remedy, wanted=wanted)
    if wanted and not cameras:
        remedy = "look at the cable with the board off, then: rpicam-hello --list-cameras"
        return failed("picamera2", "libcamera finds no camera", remedy, exit_code=_CAMERA)
    hint = "; to use it: --source picamera" if cameras and not wanted else ""
    return ok("picamera2", f"libcamera finds {', '.join(cameras) or 'no camera'}{hint}")


def _missing_picamera2(machine: Machine, software: Software, *, wanted: bool) -> Finding:
    if machine.path(_SYSTEM_PICAMERA2).is_dir() and not _sees_system_packages(software.prefix):
        found = f"{software.prefix} was made without the system's packages, so it cannot see picamera2"
        remedy = f"python3 -m venv --clear --system-site-packages {software.prefix}, and install again"
        return _missing("picamera2", found, remedy, wanted=wanted)
    remedy = "sudo apt install --yes python3-picamera2"
    return _missing("picamera2", "cannot be imported; ribbon cameras need it", remedy, wanted=wanted)


def _missing(subject: str, found: str, remedy: str, *, wanted: bool) -> Finding:
    return failed(subject, found, remedy, exit_code=_CAMERA) if wanted else warning(subject, found, remedy)


def _sees_system_packages(prefix: Path) -> bool:
    """Read a virtual environment's own file; a Python outside of one sees them always."""
    try:
        lines = (prefix / "pyvenv.cfg").read_text(encoding="utf-8").lower().splitlines()
    except OSError:
        return True
    return any(line.replace(" ", "") == "include-system-site-packages=true" for line in lines)


def _cameras(machine: Machine) -> Finding:
    """Name what the kernel calls its video devices; the several nodes of one device count once."""
    seen: dict[str, str] = {}
    for path in machine.names("sys/class/video4linux/video*/name"):
        seen.setdefault(machine.text(str(path.relative_to(machine.root))) or "?", f"/dev/{path.parent.name}")
    if not seen:
        return off("cameras", "no video device; a picture file or an address needs none")
    return ok("cameras", ", ".join(f"{name} ({node})" for name, node in seen.items()))


def _permissions(machine: Machine) -> Finding:
    nodes = [path for pattern in _NODES for path in machine.names(pattern)]
    if not nodes:
        return off("device nodes", "no /dev/video*, /dev/media* or /dev/dma_heap/*")
    closed = [path for path in nodes if not machine.may_open(path)]
    if not closed:
        return ok("device nodes", f"{len(nodes)} of /dev/video*, /dev/media* and /dev/dma_heap/* can be opened")
    groups = sorted({machine.group_name(path.stat().st_gid) for path in closed})
    found = f"this user may not open {len(closed)} of {len(nodes)}, the first is /{closed[0].relative_to(machine.root)}"
    joinable = [group for group in groups if group not in {"root", "0"}]
    if not joinable:
        remedy = "sudo emotion-firmware apply PROFILE /, then: sudo udevadm control --reload && sudo udevadm trigger"
        return warning("device nodes", f"{found}; they are root's alone", remedy)
    user = machine.users.get(machine.uid, "$USER")
    remedy = f"sudo usermod --append --groups {','.join(joinable)} {user}, then log in again"
    return warning("device nodes", found, remedy)
