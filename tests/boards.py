"""Folders that look like the parts of a board's /sys and /proc that are read."""

from __future__ import annotations

from pathlib import Path

from edge_runtime.board import Board


def raspberry_pi(
    root: Path, *, millidegrees: int = 45000, throttled: str = "0", memory_mb: float = 100.0, pi5: bool = False
) -> Board:
    """Write, or write again, what a Raspberry Pi says.

    Args:
        root: stands for /.
        millidegrees: of the processor.
        throttled: what the firmware answers, hexadecimal without 0x.
        memory_mb: resident memory of this process, rounded to pages of 4096 bytes.
        pi5: its devices have their address in the name.
    """
    soc = "soc@107c000000" if pi5 else "soc"
    write(root / "sys/class/thermal/thermal_zone0/type", "cpu-thermal")
    write(root / "sys/class/thermal/thermal_zone0/temp", str(millidegrees))
    write(root / f"sys/devices/platform/{soc}/{soc}:firmware/get_throttled", throttled)
    write(root / "proc/self/statm", f"99999 {round(memory_mb * 1e6 / 4096)} 300 1 0 400 0")
    return Board(root)


def write(path: Path, text: str) -> None:
    """Write one line, as the kernel does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text + "\n", encoding="ascii")
