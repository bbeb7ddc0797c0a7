"""Where the rendered files live, relative to the root of the system."""

from __future__ import annotations

BOOT = "boot/firmware"
"""Mount point of the boot partition since Raspberry Pi OS Bookworm."""

CONFIG_FRAGMENT = f"{BOOT}/emotion-edge.txt"
CMDLINE_WORDS = f"{BOOT}/emotion-edge-cmdline.txt"
UDEV = "etc/udev/rules.d/60-emotion-edge.rules"
SYSUSERS = "etc/sysusers.d/emotion-edge.conf"
TMPFILES = "etc/tmpfiles.d/emotion-edge.conf"
MODPROBE = "etc/modprobe.d/emotion-edge.conf"
NETWORK_MANAGER = "etc/NetworkManager/conf.d/emotion-edge.conf"
RUNTIME = "etc/emotion-edge/conf.d/10-board.toml"

OWNED = (CONFIG_FRAGMENT, CMDLINE_WORDS, UDEV, SYSUSERS, TMPFILES, MODPROBE, NETWORK_MANAGER, RUNTIME)
"""Every path that is this program's alone: an applied profile that has no such file removes it."""
