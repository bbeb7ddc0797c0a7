"""Folders with the files of whole machines: what /proc, /sys, /dev and /etc of each supported board look like."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from edge_runtime.doctor import Finding, Machine, Software
from firmware_config.model import Family
from firmware_config.profiles import load_profile, profile_names

USER = 60_000
"""Who looks: nobody who owns a file that a test writes."""

BOARDS = {profile.board.name: profile.board for name in profile_names() if (profile := load_profile(name))}
"""Every board of the firmware profiles."""

LITERT = {"ai-edge-litert": "2.3.0", "numpy": "2.2.6", "opencv-python-headless": "4.11.0.86"}


def machine(root: Path, board: str = "pi4") -> Machine:
    """Write the files of a healthy board."""
    facts = BOARDS[board]
    is_pi = facts.family is Family.RASPBERRY_PI
    put(root, "etc/passwd", f"root:x:0:0::/root:/bin/bash\npi:x:{USER}:{USER}::/home/pi:/bin/bash\n")
    put(root, "etc/group", f"video:x:{root.stat().st_gid}:pi,emotion-edge\nplugdev:x:46:emotion-edge\n")
    put(root, "proc/cpuinfo", "processor : 0\n")
    put(root, "proc/mounts", "/dev/mmcblk0p2 / ext4 rw,noatime 0 0\n")
    put(root, "proc/net/route", "Iface Destination Gateway\nwlan0 00000000 0101A8C0\nwlan0 0001A8C0 00000000\n")
    put(root, "proc/sys/kernel/core_pattern", "core\n")
    put(root, "sys/class/thermal/thermal_zone0/type", "cpu-thermal\n")
    put(root, "sys/class/thermal/thermal_zone0/temp", "48312\n")
    memory_kib = (facts.memory_mb or 1024) * 1000
    cma = "CmaTotal: 262144 kB\nCmaFree: 200000 kB\n" if is_pi else "CmaTotal: 0 kB\nCmaFree: 0 kB\n"
    put(root, "proc/meminfo", f"MemTotal: {memory_kib} kB\nMemAvailable: {memory_kib // 2} kB\nSwapTotal: 0 kB\n{cma}")
    if facts.device_tree_models:
        put(root, "proc/device-tree/model", f"{facts.device_tree_models[0]} Rev 1.2\0")
    if is_pi:
        put(root, throttled_path(board), "0\n")
        program(root, "vcgencmd", "echo throttled=0x0")
    put(root, "sys/class/video4linux/video0/name", "USB Camera: USB Camera\n")
    put(root, "dev/video0", "", mode=0o660)
    return Machine(root, uid=USER, gids=own_group(root))


def throttled_path(board: str) -> str:
    """Where the kernel of a board shows the firmware's flags; a Pi 5 has addresses in its device names."""
    soc = "soc@107c000000" if board == "pi5" else "soc"
    return f"sys/devices/platform/{soc}/{soc}:firmware/get_throttled"


def own_group(root: Path) -> frozenset[int]:
    """Groups of somebody who may open what the test has written with mode 0660."""
    return frozenset({root.stat().st_gid})


def put(root: Path, name: str, content: str | bytes, *, mode: int = 0o644) -> Path:
    """Write one file of a machine."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    path.chmod(mode)
    return path


def program(root: Path, name: str, script: str) -> None:
    """Give the machine a program."""
    put(root, f"usr/bin/{name}", f"#!/bin/sh\n{script}\n", mode=0o755)


def software(**changed: object) -> Software:
    """Return what a healthy board runs with."""
    usual = Software(
        python=(3, 11),
        architecture="aarch64",
        prefix=Path("/opt/emotion-edge"),
        is_64_bit=True,
        versions=LITERT,
        numpy_file="/opt/emotion-edge/lib/python3.11/site-packages/numpy/__init__.py",
        opencv_build="  GUI:                           NONE\n",
        page_bytes=4096,
        libraries=(),
    )
    return replace(usual, **changed)  # type: ignore[arg-type]


def library(path: Path, alignment: int, *, wide: bool = True) -> Path:
    """Write a shared library's header with one part that is loaded, aligned to so many bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    magic = b"\x7fELF" + bytes([2 if wide else 1, 1, 1]) + bytes(9)
    if wide:
        head = struct.pack("<HHIQQQIHHHHHH", 3, 183, 1, 0, 64, 0, 0, 64, 56, 1, 0, 0, 0)
        part = struct.pack("<IIQQQQQQ", 1, 5, 0, 0, 0, 64, 64, alignment)
    else:
        head = struct.pack("<HHIIIIIHHHHHH", 3, 40, 1, 0, 52, 0, 0, 52, 32, 1, 0, 0, 0)
        part = struct.pack("<IIIIIIII", 1, 0, 0, 0, 64, 64, 5, alignment)
    path.write_bytes(magic + head + part)
    return path


def coral_stick(root: Path, usb_id: str = "18d1:9302", *, speed: str = "5000", mode: int = 0o660) -> Path:
    """Plug a Coral stick in; returns its node."""
    vendor, product = usb_id.split(":")
    facts: Mapping[str, str] = {
        "idVendor": vendor,
        "idProduct": product,
        "speed": speed,
        "busnum": "2",
        "devnum": "7",
    }
    for name, value in facts.items():
        put(root, f"sys/bus/usb/devices/2-1/{name}", f"{value}\n")
    return put(root, "dev/bus/usb/002/007", "", mode=mode)


def only(findings: list[Finding], subject: str) -> Finding:
    """Return the one finding about something."""
    (found,) = [finding for finding in findings if finding.subject == subject]
    return found
