"""The board: which one, its memory, its power supply and its temperature."""

from __future__ import annotations

import platform
import re
from typing import Final

from edge_runtime.board import OCCURRED, Board, flag_names
from edge_runtime.doctor.finding import Finding, off, ok, warning
from edge_runtime.doctor.machine import Machine

LEAST_AVAILABLE_MB: Final = 120.0
"""A net, OpenCV and the interpreter take about 110 MB."""

LEAST_CMA_MB: Final = 64.0
"""Raspberry Pi OS gives 64 MiB at least; libcamera's buffers come from it."""
LEAST_FREE_CMA_MB: Final = 16.0
"""Four buffers of 1280 x 720 for lores, main and raw stream take about that much."""

HOT_C: Final = 80.0
"""From here on the firmware lowers the clock, below 85 degrees step by step."""

MEANINGS: Final = {
    "under_voltage": "under-voltage",
    "frequency_capped": "the clock is capped",
    "throttled": "throttled",
    "soft_temperature_limit": "the soft temperature limit holds the clock down",
}
"""Flags of edge_runtime.board in words."""

SUPPLIES: Final = {
    "Raspberry Pi 5": "5 V 5 A (27 W)",
    "Raspberry Pi 4": "5 V 3 A",
    "Raspberry Pi 3": "5 V 2.5 A",
    "Raspberry Pi Zero 2": "5 V 2.5 A",
}
"""The maker's own power supplies, by the beginning of the board's name."""


def look(machine: Machine) -> list[Finding]:
    """Look at board, memory, power and temperature."""
    return [_board(machine), _memory(machine), _cma(machine), _power(machine), _temperature(machine)]


def _board(machine: Machine) -> Finding:
    return ok("board", f"{machine.model or 'no device tree, as on a PC'}, {platform.machine()}")


def _memory(machine: Machine) -> Finding:
    memory = machine.memory_mb
    if "MemTotal" not in memory:
        return off("memory", "/proc/meminfo cannot be read")
    available = memory.get("MemAvailable", memory.get("MemFree", 0.0))
    swap = memory.get("SwapTotal", 0.0)
    found = f"{memory['MemTotal']:.0f} MB, {available:.0f} MB available, {f'{swap:.0f} MB' if swap else 'no'} swap"
    if available < LEAST_AVAILABLE_MB:
        return warning("memory", found, "end other programs, or the desktop: sudo systemctl isolate multi-user.target")
    return ok("memory", found)


def _cma(machine: Machine) -> Finding:
    """Contiguous memory: libcamera takes its buffers from it, and a camera that finds none gives no frame."""
    memory = machine.memory_mb
    total, free = memory.get("CmaTotal", 0.0), memory.get("CmaFree", 0.0)
    if not machine.is_raspberry_pi or not total:
        return off("camera memory", "no contiguous memory is set apart, as on a PC")
    found = f"CMA {total:.0f} MB, {free:.0f} MB free"
    if total < LEAST_CMA_MB:
        remedy = (
            "in /boot/firmware/config.txt write dtoverlay=vc4-kms-v3d,cma-128 in the place of dtoverlay=vc4-kms-v3d, "
            "then: sudo reboot"
        )
        return warning("camera memory", found, remedy)
    if free < LEAST_FREE_CMA_MB:
        remedy = "end what shows pictures, or the desktop: sudo systemctl isolate multi-user.target"
        return warning("camera memory", f"{found}; a running camera takes some", remedy)
    return ok("camera memory", found)


def _power(machine: Machine) -> Finding:
    """What the firmware says about power and clock: its own program knows what has been since the start.

    The kernel's file knows of two seconds only, see edge_runtime.board.
    """
    bits, read = _asked(machine), Board(machine.root).throttling()
    if bits is not None:
        return _flags(machine, flag_names(bits), flag_names(bits >> OCCURRED), "since the start")
    if read is not None:
        return _flags(machine, read.now, read.lately, "in the last two seconds")
    return off("power", "cannot be read here" if machine.is_raspberry_pi else "measured on a Raspberry Pi only")


def _flags(machine: Machine, now: tuple[str, ...], before: tuple[str, ...], since: str) -> Finding:
    if not now and not before:
        return ok("power", f"no under-voltage, not throttled {since}")
    told = [", ".join(MEANINGS[flag] for flag in some) or "nothing" for some in (now, before)]
    remedy = _remedy(machine, under_voltage="under_voltage" in (*now, *before))
    return warning("power", f"now: {told[0]}; {since}: {told[1]}", remedy)


def _remedy(machine: Machine, *, under_voltage: bool) -> str:
    if not under_voltage:
        return "cool it: a heat sink or a fan; less work: detector.every_n_frames, source.fps"
    supply = next((text for board, text in SUPPLIES.items() if machine.model.startswith(board)), "its maker's")
    return f"use the official power supply ({supply}) with its own cable, and a powered hub for USB devices"


def _asked(machine: Machine) -> int | None:
    """Ask the firmware's own program for its flags; None where there is none, or it may not ask."""
    told = re.search(r"=0x([0-9a-f]+)", (machine.answer("vcgencmd", "get_throttled") or "") if machine.model else "")
    return None if told is None else int(told[1], 16)


def _temperature(machine: Machine) -> Finding:
    degrees = Board(machine.root).temperature_c()
    if degrees is None:
        return off("temperature", "no sensor")
    if degrees >= HOT_C:
        return warning("temperature", f"{degrees:.0f} degrees Celsius", "a heat sink or a fan, and air around it")
    return ok("temperature", f"{degrees:.0f} degrees Celsius")
