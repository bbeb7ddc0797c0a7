"""Python, numpy, the interpreter's distribution and OpenCV: combinations that import and then do not work."""

from __future__ import annotations

import importlib.util
import os
import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from edge_runtime.doctor.elf import page_alignment
from edge_runtime.doctor.finding import Finding, failed, off, ok, warning
from edge_runtime.doctor.machine import Machine
from edge_runtime.errors import ModelError
from edge_runtime.interpreter import RUNTIMES

_DISTRIBUTIONS: Final = (*RUNTIMES.values(), "numpy", "opencv-python", "opencv-python-headless", "pycoral")
_MODEL: Final = ModelError.exit_code
_SYSTEM_PACKAGES: Final = "usr/lib/python3/dist-packages"
LAST_PYTHON_OF_TFLITE_RUNTIME: Final = (3, 11)


def _versions() -> dict[str, str]:
    return {name: found.version for name in _DISTRIBUTIONS for found in metadata.distributions(name=name)}


def _libraries() -> tuple[Path, ...]:
    """Find one library of each package without importing it: all of a wheel come from one linker."""
    found: list[Path] = []
    for package in ("ai_edge_litert", "tflite_runtime", "cv2"):
        spec = importlib.util.find_spec(package)
        folders = [Path(folder) for folder in spec.submodule_search_locations or ()] if spec else []
        found += [path for folder in folders for path in sorted(folder.glob("*.so"))[:1]]
    return tuple(found)


@dataclass(frozen=True)
class Software:
    """What this process runs with."""

    python: tuple[int, int] = field(default_factory=lambda: (sys.version_info[0], sys.version_info[1]))
    architecture: str = field(default_factory=platform.machine)
    prefix: Path = field(default_factory=lambda: Path(sys.prefix))
    """Folder of the virtual environment, or of Python itself."""
    is_64_bit: bool = sys.maxsize > 2**32
    """Of this Python: a 64-bit kernel may run a 32-bit system."""
    versions: Mapping[str, str] = field(default_factory=_versions)
    """Installed distributions of those that matter here."""
    numpy_file: str = field(default_factory=lambda: str(np.__file__))
    opencv_build: str = field(default_factory=cv2.getBuildInformation)
    page_bytes: int = field(default_factory=lambda: os.sysconf("SC_PAGE_SIZE"))
    libraries: tuple[Path, ...] = field(default_factory=_libraries)
    """Shared libraries that come from elsewhere than the system."""


def look(machine: Machine, software: Software) -> list[Finding]:
    """Look at Python, the interpreter, numpy, OpenCV and the page size."""
    return [
        _python(software),
        _interpreter(machine, software),
        _numpy(machine, software),
        _opencv(software),
        _pages(software),
    ]


def _python(software: Software) -> Finding:
    bits = "64" if software.is_64_bit else "32"
    return ok("python", f"{software.python[0]}.{software.python[1]}, {bits} bits, {software.prefix}")


def _interpreter(machine: Machine, software: Software) -> Finding:
    installed = [name for name in RUNTIMES.values() if name in software.versions]
    told = " and ".join(f"{name} {software.versions[name]}" for name in installed)
    if not installed:
        return failed("interpreter", "no TFLite interpreter is installed", _install(software), exit_code=_MODEL)
    numpy = software.versions.get("numpy", np.__version__)
    if installed == ["tflite-runtime"] and int(numpy.partition(".")[0]) >= 2:
        found = f"{told} beside numpy {numpy}: it imports, and fails at the first net"
        return failed("interpreter", found, f"{software.prefix}/bin/pip install 'numpy<2'", exit_code=_MODEL)
    if machine.text("proc/cpuinfo") is None:
        found = f"{told}; /proc/cpuinfo cannot be read, so nets run without XNNPACK, up to 100 times slower"
        return warning("interpreter", found, "take ProcSubset=pid out of the unit: systemctl edit emotion-edge")
    return ok("interpreter", told)


def _install(software: Software) -> str:
    pip = f"{software.prefix}/bin/pip install"
    if software.is_64_bit:
        return f"{pip} ai-edge-litert"
    if software.python <= LAST_PYTHON_OF_TFLITE_RUNTIME:
        return f"{pip} 'emotion-edge[tflite-runtime]'"
    return "none exists for 32 bits and Python after 3.11: install the 64-bit Raspberry Pi OS"


def _numpy(machine: Machine, software: Software) -> Finding:
    """The system's numpy must stay where picamera2 is the system's: it was compiled against that one."""
    found = f"{software.versions.get('numpy', np.__version__)}, {Path(software.numpy_file).parent}"
    system = machine.path(_SYSTEM_PACKAGES)
    if not (system / "picamera2").is_dir() or not (system / "numpy").is_dir():
        return ok("numpy", found)
    if Path(software.numpy_file).is_relative_to(system):
        return ok("numpy", f"{found}, the system's")
    remedy = f"{software.prefix}/bin/pip uninstall --yes numpy    # then the system's is used"
    return warning("numpy", f"{found} hides the system's, which picamera2 was compiled for", remedy)


def _opencv(software: Software) -> Finding:
    pip = f"{software.prefix}/bin/pip"
    both = {"opencv-python", "opencv-python-headless"} <= set(software.versions)
    found = f"{cv2.__version__}, {_window_system(software.opencv_build)}"
    if both:
        remedy = f"{pip} uninstall --yes opencv-python && {pip} install --force-reinstall opencv-python-headless"
        return warning("OpenCV", f"{found}; opencv-python and opencv-python-headless overwrite each other", remedy)
    if int(cv2.__version__.partition(".")[0]) >= 5:
        return ok("OpenCV", f"{found}, without Haar cascades (only --detector haar needs them)")
    return ok("OpenCV", found)


def _window_system(build: str) -> str:
    """What OpenCV's own description says behind `GUI:`."""
    gui = next((line.partition(":")[2].strip() for line in build.splitlines() if line.strip().startswith("GUI:")), "")
    return "headless" if gui in {"", "NONE"} else f"with windows ({gui})"


def _pages(software: Software) -> Finding:
    """A Pi 5's own kernel has pages of 16 KiB; a library aligned to less is not loaded."""
    pages = f"{software.page_bytes // 1024} KiB pages"
    aligned = {path: page_alignment(path) for path in software.libraries}
    small = [path for path, found in aligned.items() if found is not None and found < software.page_bytes]
    if small:
        found = f"{pages}, but {', '.join(path.name for path in small)} is aligned to less and cannot be loaded"
        remedy = "write kernel=kernel8.img into /boot/firmware/config.txt, then: sudo reboot"
        return failed("page size", found, remedy, exit_code=_MODEL)
    if not software.libraries:
        return off("page size", f"{pages}; no library to compare")
    return ok("page size", f"{pages}; libraries are aligned to it")
