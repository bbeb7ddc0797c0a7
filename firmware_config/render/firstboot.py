"""First boot without screen or keyboard. No secret is rendered: each is a placeholder, filled from a file."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from firmware_config.errors import SecretError
from firmware_config.model import Device, Family
from firmware_config.render.comments import heading

FIRST_BOOT = "firstboot"
PLACEHOLDER = re.compile(r"@@([a-z0-9-]+)@@")

_USER_DATA = """\
#cloud-config
{heading}
# Raspberry Pi OS Trixie and later: copy this file, network-config and meta-data
# to the boot partition before the first boot. Bookworm has no cloud-init.
# Source: cloud-init documentation, NoCloud; Raspberry Pi OS images from Trixie.

# The name in the network. From the file `hostname`.
hostname: @@hostname@@

# /etc/hosts follows, or sudo waits for a name server.
manage_etc_hosts: true

# The clock is UTC: events carry UTC, and nothing then jumps in spring.
timezone: UTC

# One person may log in, with a key and without a password.
users:
    # From the file `user`.
  - name: @@user@@
    # sudo to install; video and plugdev to try the camera and the accelerator.
    groups: [sudo, video, render, plugdev]
    shell: /bin/bash
    lock_passwd: true
    # There is no password to type, so sudo must not ask for one.
    sudo: "ALL=(ALL) NOPASSWD:ALL"
    # From the file `ssh-key`: the public half, one line.
    ssh_authorized_keys:
      - @@ssh-key@@

# Keys only: a password can be guessed.
ssh_pwauth: false

# Raspberry Pi OS starts without a ssh server.
runcmd:
  - [systemctl, enable, --now, ssh]
"""

_NETWORK_CONFIG = """\
{heading}
# Source: cloud-init documentation, network config version 2 (netplan).
version: 2
ethernets:
  eth0:
    dhcp4: true
    # Boots without a cable too.
    optional: true
wifis:
  wlan0:
    dhcp4: true
    optional: true
    # The radio stays off until it knows the country. From the file `wifi-country`, such as DE.
    regulatory-domain: @@wifi-country@@
    access-points:
      # From the file `wifi-ssid`.
      @@wifi-ssid@@:
        # From the file `wifi-psk`.
        password: @@wifi-psk@@
"""

_META_DATA = """\
{heading}
# cloud-init works once for each name: a new one makes it start over.
# Source: cloud-init documentation, NoCloud.
instance-id: emotion-edge-1
"""

_CONNECTION = """\
{heading}
# Raspberry Pi OS Bookworm: copy to /etc/NetworkManager/system-connections/,
# owner root, mode 0600, or NetworkManager ignores it.
# Source: nm-settings-keyfile(5).

[connection]
id=emotion-edge-wifi
type=wifi
# After a power cut it comes back by itself, however often that takes.
autoconnect=true
autoconnect-retries=0

[wifi]
mode=infrastructure
# From the file `wifi-ssid`.
ssid=@@wifi-ssid@@

[wifi-security]
key-mgmt=wpa-psk
# From the file `wifi-psk`.
psk=@@wifi-psk@@

[ipv4]
method=auto

[ipv6]
method=auto
"""

CONNECTION = f"{FIRST_BOOT}/emotion-edge-wifi.nmconnection"


def first_boot_files(device: Device) -> dict[str, str]:
    """Render the files of a first boot without screen; none for boards that are not a Raspberry Pi."""
    if device.profile.board.family is not Family.RASPBERRY_PI:
        return {}
    templates = {
        f"{FIRST_BOOT}/user-data": _USER_DATA,
        f"{FIRST_BOOT}/network-config": _NETWORK_CONFIG,
        f"{FIRST_BOOT}/meta-data": _META_DATA,
        CONNECTION: _CONNECTION,
    }
    head = heading(device, "first boot without a screen").rstrip("\n")
    return {path: text.replace("{heading}", head) for path, text in templates.items()}


def fill(path: str, text: str, secrets: Mapping[str, str]) -> str:
    """Replace each placeholder by its value, quoted as the file's format wants it.

    Raises:
        SecretError: a placeholder has no value, or a value has more than one line.
    """
    return PLACEHOLDER.sub(lambda match: _quoted(path, _secret(path, match[1], secrets)), text)


def _secret(path: str, name: str, secrets: Mapping[str, str]) -> str:
    value = secrets.get(name, "").rstrip("\r\n")
    if not value or any(ord(character) < 32 for character in value):
        raise SecretError(
            f"{path}: the placeholder {name} needs a file `{name}` with one line of text in the folder of --secrets; "
            f"found {sorted(secrets) or 'no file'}; write that file"
        )
    return value


def _quoted(path: str, value: str) -> str:
    if path == CONNECTION:
        # Keyfiles know backslash escapes and drop spaces at the ends: nm-settings-keyfile(5).
        escaped = value.replace("\\", "\\\\")
        return escaped.replace(" ", "\\s") if escaped != escaped.strip() else escaped
    # A JSON string is a valid YAML string, but beyond U+FFFF JSON escapes two halves, which are no characters in YAML.
    parts = (json.dumps(one)[1:-1] if ord(one) <= 0xFFFF else f"\\U{ord(one):08X}" for one in value)
    return f'"{"".join(parts)}"'
