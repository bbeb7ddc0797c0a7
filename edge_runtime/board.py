"""What the kernel says about the board and about this process: heat, power, memory."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ZONES: Final = "sys/class/thermal"
THROTTLED: Final = ("soc/soc:firmware", "soc@*/soc@*:firmware")
"""Folders below sys/devices/platform: a Raspberry Pi up to 4, and a Pi 5, whose devices have their address in the name.

Source: drivers/firmware/raspberrypi.c of the Raspberry Pi kernel, attribute get_throttled: hexadecimal without 0x. It
is what drivers/hwmon/raspberrypi-hwmon.c was answered last: that asks every two seconds, and has the firmware forget
the bits from 16 on with every question.
"""
FLAGS: Final = {0: "under_voltage", 1: "frequency_capped", 2: "throttled", 3: "soft_temperature_limit"}
"""Bits that say what is so now; the same bits + OCCURRED say what has been since they were forgotten last."""
OCCURRED: Final = 16


@dataclass(frozen=True, slots=True)
class Throttling:
    """What the Raspberry Pi's firmware does against heat and a weak power supply."""

    now: tuple[str, ...]
    """Names of FLAGS; under_voltage also when it is only in `lately`, which is when the kernel warns of it."""
    lately: tuple[str, ...]
    """Since the kernel's question before, two seconds earlier."""


@dataclass(frozen=True)
class Board:
    """Reads files when it is asked; what a board does not have is None."""

    root: Path = Path("/")
    """Folder that holds sys and proc."""

    def temperature_c(self) -> float | None:
        """Return the temperature of the processor: its hottest zone, else the first zone there is."""
        zones = sorted((self.root / ZONES).glob("thermal_zone*"))
        of_soc = [zone for zone in zones if _is_soc(_text(zone / "type"))]
        found = [_number(_text(zone / "temp"), 10) for zone in of_soc or zones[:1]]
        return max((millidegrees / 1000 for millidegrees in found if millidegrees is not None), default=None)

    def throttling(self) -> Throttling | None:
        """Return the firmware's flags; None on other boards."""
        platform = self.root / "sys/devices/platform"
        paths = [path for folder in THROTTLED for path in platform.glob(f"{folder}/get_throttled")]
        bits = _number(_text(paths[0]), 16) if paths else None
        if bits is None:
            return None
        had_under_voltage = bits >> OCCURRED & 1
        return Throttling(flag_names(bits | had_under_voltage), flag_names(bits >> OCCURRED))

    def memory_mb(self) -> float | None:
        """Return this process' resident memory."""
        pages = _text(self.root / "proc/self/statm").split()
        resident = _number(pages[1], 10) if len(pages) > 1 else None
        return None if resident is None else resident * os.sysconf("SC_PAGE_SIZE") / 1e6


def flag_names(bits: int) -> tuple[str, ...]:
    """Name the flags of the lowest bits, in the order of FLAGS."""
    return tuple(name for bit, name in FLAGS.items() if bits >> bit & 1)


def _is_soc(kind: str) -> bool:
    return "cpu" in kind or "soc" in kind


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""


def _number(text: str, base: int) -> int | None:
    try:
        return int(text, base)
    except ValueError:
        return None
