"""Who may open what: the user, its groups, device permissions, folders."""

from __future__ import annotations

from collections.abc import Iterable

from firmware_config.model import Device, Setting
from firmware_config.render.comments import heading, settings_text

USER = "emotion-edge"
_SYSUSERS_SOURCE = "sysusers.d(5)"
_TMPFILES_SOURCE = "tmpfiles.d(5)"

_BASE_GROUPS = (
    ("video", "Cameras, the media controller and the frame buffers of libcamera belong to this group."),
    ("render", "Reserved for graphics nodes that some camera stacks open."),
    ("plugdev", "USB accelerators belong to this group."),
)
_FOLDERS = (
    ("d /etc/emotion-edge 0755 root root -", "The configuration is root's; the service only reads it."),
    (
        "d /etc/emotion-edge/conf.d 0755 root root -",
        "Fragments of the configuration, read in the order of their names.",
    ),
    (
        "d /etc/emotion-edge/credentials 0700 root root -",
        "Passwords and keys: root only; systemd hands them to the service as credentials.",
    ),
)


def sysusers_text(device: Device) -> str:
    """Render the service's user and its groups; a group the system has already stays as it is."""
    group = device.profile.accelerator.group
    extra = () if group in ("", *(name for name, _ in _BASE_GROUPS)) else ((group, "The accelerator's device node."),)
    settings = [
        Setting(
            f'u {USER} - "Emotion Edge" /var/lib/emotion-edge',
            "The service runs as a user of its own without a password or a shell.",
            _SYSUSERS_SOURCE,
        )
    ]
    for name, why in (*_BASE_GROUPS, *extra):
        settings.append(Setting(f"g {name} -\nm {USER} {name}", why, _SYSUSERS_SOURCE))
    return heading(device, "user and groups") + settings_text(settings)


def tmpfiles_text(device: Device) -> str:
    """Render the folders that exist before the service starts."""
    settings = (Setting(line, why, _TMPFILES_SOURCE) for line, why in _FOLDERS)
    return heading(device, "folders") + settings_text(settings)


def udev_text(device: Device) -> str:
    """Render device permissions; empty when the system's own rules suffice."""
    settings = [*_heap_rules(device), *_usb_rules(device), *_apex_rules(device)]
    return heading(device, "device permissions") + settings_text(settings) if settings else ""


def _heap_rules(device: Device) -> Iterable[Setting]:
    if device.uses_libcamera:
        yield Setting(
            'SUBSYSTEM=="dma_heap", GROUP="video", MODE="0660"',
            "libcamera takes its frame buffers from /dev/dma_heap; without this only root gets them.",
            "the same rule is in 99-com.rules of raspberrypi-sys-mods; here for systems without that package",
        )


def _usb_rules(device: Device) -> Iterable[Setting]:
    accelerator = device.profile.accelerator
    whys = (
        "The accelerator as it is plugged in.",
        "The same accelerator after libedgetpu has loaded its firmware: it comes back under another name.",
    )
    for usb_id, why in zip(accelerator.usb_ids, whys, strict=False):
        vendor, product = usb_id.split(":")
        yield Setting(
            f'SUBSYSTEM=="usb", ENV{{DEVTYPE}}=="usb_device", ATTR{{idVendor}}=="{vendor}", '
            f'ATTR{{idProduct}}=="{product}", GROUP="{accelerator.group}", MODE="0660"',
            why,
            "Coral documentation, USB Accelerator; udev(7)",
        )


def _apex_rules(device: Device) -> Iterable[Setting]:
    accelerator = device.profile.accelerator
    if accelerator.apex:
        yield Setting(
            f'SUBSYSTEM=="apex", GROUP="{accelerator.group}", MODE="0660"',
            "/dev/apex_0 belongs to root alone until a rule says otherwise.",
            "Coral documentation, M.2 accelerator, get started",
        )
