"""The part of the runtime's configuration that the board decides, and the network's."""

from __future__ import annotations

from firmware_config.model import Device, Setting
from firmware_config.render.comments import comment, heading, settings_text

_STARTING_VALUE = "a starting value of the profile; measure with `emotion-edge bench`"


def runtime_text(device: Device) -> str:
    """Render /etc/emotion-edge/conf.d/10-board.toml."""
    values = device.profile.runtime
    sections = {
        "source": (
            _source_setting(device),
            Setting(
                f"width_px = {values.width_px}", "More pixels see smaller faces and cost more time.", _STARTING_VALUE
            ),
            Setting(f"height_px = {values.height_px}", "The other side of the picture.", _STARTING_VALUE),
            Setting(
                f"fps = {values.fps}", "Frames the board is asked to take; more would be dropped.", _STARTING_VALUE
            ),
        ),
        "models": (
            Setting(
                f'device = "{device.profile.accelerator.device}"',
                f"The nets run here: {device.profile.accelerator.title}.",
                "docs/deploy-coral.md" if device.profile.accelerator.group else "docs/deploy-pi.md",
            ),
            Setting(f"threads = {values.threads}", "Leaves the camera and the system their share.", _STARTING_VALUE),
        ),
        "detector": (*_kind_setting(values.detector), _interval_setting(values.every_n_frames)),
    }
    text = heading(device, "configuration of the runtime")
    text += comment("To change a value, write a file of your own that sorts after this one, such as 50-local.toml.")
    text += "config_version = 1\n"
    return text + "".join(f"\n[{name}]\n{settings_text(settings)}" for name, settings in sections.items())


def network_manager_text(device: Device) -> str:
    """Render the network's settings; empty on boards without a radio of their own."""
    if not device.profile.board.wifi:
        return ""
    setting = Setting(
        "wifi.powersave = 2",
        "2 is off: an access point that a sleeping radio does not answer makes the device look dead.",
        "NetworkManager.conf(5) and nm-settings(5), 802-11-wireless.powersave",
    )
    return heading(device, "network") + "\n[connection]\n" + settings_text([setting])


def _source_setting(device: Device) -> Setting:
    if device.uses_libcamera:
        return Setting('uri = "picamera"', "Ribbon cameras are served by libcamera.", "docs/deploy-pi.md")
    return Setting('uri = "camera:0"', "The first camera of Video4Linux, /dev/video0.", "docs/deploy-pi.md")


def _kind_setting(kind: str) -> tuple[Setting, ...]:
    return (Setting(f'kind = "{kind}"', "This board's own choice of detector.", _STARTING_VALUE),) if kind else ()


def _interval_setting(every_n_frames: int) -> Setting:
    why = "Between two detections the track's own points give the next box."
    return Setting(f"every_n_frames = {every_n_frames}", why, _STARTING_VALUE)
