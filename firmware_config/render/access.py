"""Who may open what: the user, its groups, device permissions, folders."""

from __future__ import annotations

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
    (
        "d /var/lib/emotion-edge 0700 emotion-edge emotion-edge -",
        "The state, so that `emotion-edge check` can look at it before the first start.",
    ),
    (
        "d /var/log/emotion-edge 0700 emotion-edge emotion-edge -",
        "The log, for the same reason.",
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
    camera = device.camera.udev_settings if device.uses_libcamera else ()
    settings = (*camera, *device.profile.accelerator.udev_settings)
    return heading(device, "device permissions") + settings_text(settings) if settings else ""
