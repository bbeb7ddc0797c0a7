"""How fast an int8 net can run on a board at best, and how fast the best published ones do.

A net needs at least max(MACs / peak, bytes of weights / memory bandwidth). "Published" is the best int8 rate that
others report for this processor. The peak is that of all cores together, whatever number of threads a net runs on.

Sources: peak: cores x clock x int8 MACs per cycle (8 on Cortex-A53 and A72, 32 on A76 with dot products; 4 TOPS for the
Edge TPU are 2000 GMAC/s). Published: the benchmark tables of XNNPACK and ncnn, Arm's ExecuTorch figures, Coral's
benchmark page. Memory: 32 bits x the transfer rate of the makers' data sheets (LPDDR2-900, LPDDR4-3200, LPDDR4X-4267).
No board was at hand: what these figures are worth, `emotion-edge bench` on a board says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_CORAL_USB_IDS: Final = ("1a6e:089a", "18d1:9302")
"""Before and after libedgetpu has loaded its firmware. Not the vendor alone: 18d1 is Google, phones included."""
_USB_3_MBIT_S: Final = 5000


@dataclass(frozen=True, slots=True)
class SpeedLimits:
    """What bounds a net on one kind of board."""

    peak_gmac_s: float
    """int8 multiply-accumulates, 10^9 a second, if nothing ever waited."""
    published_gmac_s: float
    """The best rate that was published; 0 = not a rate, see transport_ms."""
    memory_gb_s: float
    """Bandwidth of the memory, 10^9 bytes a second; 0 = weights stay on the chip."""
    transport_ms: float = 0.0
    """What the way to an accelerator costs, whatever the net."""

    def limit_ms(self, mmac: float, weight_bytes: int) -> float:
        """Return the time that no program can beat."""
        from_memory_ms = weight_bytes / (self.memory_gb_s * 1e6) if self.memory_gb_s else 0.0
        return max(mmac / self.peak_gmac_s, from_memory_ms)

    def ref_ms(self, mmac: float) -> float:
        """Return the time at the best published rate."""
        return self.transport_ms or mmac / self.published_gmac_s


BOARDS: Final[Mapping[str, SpeedLimits]] = {
    "Raspberry Pi Zero 2": SpeedLimits(peak_gmac_s=32.0, published_gmac_s=8.9, memory_gb_s=3.6),
    "Raspberry Pi 3": SpeedLimits(peak_gmac_s=38.0, published_gmac_s=10.6, memory_gb_s=3.6),
    "Raspberry Pi 4": SpeedLimits(peak_gmac_s=57.6, published_gmac_s=23.7, memory_gb_s=12.8),
    "Raspberry Pi 5": SpeedLimits(peak_gmac_s=307.0, published_gmac_s=75.0, memory_gb_s=17.1),
}
"""By the beginning of the board's name in the device tree."""

CORAL_FAST: Final = SpeedLimits(peak_gmac_s=2000.0, published_gmac_s=0.0, memory_gb_s=0.0, transport_ms=1.4)
"""On USB 3 or PCIe."""
CORAL_USB_2: Final = SpeedLimits(peak_gmac_s=2000.0, published_gmac_s=0.0, memory_gb_s=0.0, transport_ms=5.0)


def speed_limits(device: str, root: Path = Path("/")) -> SpeedLimits | None:
    """Choose the limits of what runs the nets; None when there is no reference for it.

    Args:
        device: `cpu`, or `edgetpu` with or without bus and number.
        root: folder that holds /proc and /sys.
    """
    if device.startswith("edgetpu"):
        on_pci = device.startswith("edgetpu:pci")
        return CORAL_USB_2 if not on_pci and _coral_on_usb_2(root) else CORAL_FAST
    model = board_model(root)
    return next((limits for name, limits in BOARDS.items() if model.startswith(name)), None)


def board_model(root: Path = Path("/")) -> str:
    """Read the board's name in the device tree, which ends with a NUL; empty on a PC."""
    return _text(root / "proc/device-tree/model")


def _coral_on_usb_2(root: Path) -> bool:
    speeds = [
        _text(vendor.with_name("speed"))
        for vendor in (root / "sys/bus/usb/devices").glob("*/idVendor")
        if f"{_text(vendor)}:{_text(vendor.with_name('idProduct'))}" in _CORAL_USB_IDS
    ]
    return any(speed.isdigit() and int(speed) < _USB_3_MBIT_S for speed in speeds)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip("\0\n ")
    except OSError:
        return ""
