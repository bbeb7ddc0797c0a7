"""Rendering: from a Device to the text of every file, with no input or output of its own.

The same Device gives the same bytes, today and on another machine.
"""

from __future__ import annotations

from firmware_config.model import Device
from firmware_config.render.access import sysusers_text, tmpfiles_text, udev_text
from firmware_config.render.boot import cmdline_text, config_text, modprobe_text
from firmware_config.render.firstboot import FIRST_BOOT, first_boot_files
from firmware_config.render.paths import (
    CMDLINE_WORDS,
    CONFIG_FRAGMENT,
    MODPROBE,
    NETWORK_MANAGER,
    OWNED,
    RUNTIME,
    SYSUSERS,
    TMPFILES,
    UDEV,
)
from firmware_config.render.runtime import network_manager_text, runtime_text

__all__ = ["CMDLINE_WORDS", "CONFIG_FRAGMENT", "FIRST_BOOT", "OWNED", "render", "system_files"]


def render(device: Device) -> dict[str, str]:
    """Render every file of a device.

    Returns:
        Path relative to the root of the system -> text. Paths under `firstboot/` are for the hand that prepares a
        card; all others may be applied to a root.
    """
    return dict(sorted({**system_files(device), **first_boot_files(device)}.items()))


def system_files(device: Device) -> dict[str, str]:
    """Render the files that live on the device; paths are relative to its root."""
    candidates = {
        CONFIG_FRAGMENT: config_text(device),
        CMDLINE_WORDS: cmdline_text(device),
        UDEV: udev_text(device),
        SYSUSERS: sysusers_text(device),
        TMPFILES: tmpfiles_text(device),
        MODPROBE: modprobe_text(device),
        NETWORK_MANAGER: network_manager_text(device),
        RUNTIME: runtime_text(device),
    }
    return {path: text for path, text in sorted(candidates.items()) if text}
