"""What is read before or while the kernel starts: config.txt, cmdline.txt, modprobe.d."""

from __future__ import annotations

from collections.abc import Collection

from firmware_config.model import Device, Family
from firmware_config.render.comments import comment, heading, settings_text


def config_text(device: Device) -> str:
    """Render the fragment that config.txt includes; empty where there is no config.txt."""
    profile = device.profile
    if profile.board.family is not Family.RASPBERRY_PI:
        return ""
    settings = (*device.camera.config_settings, *profile.accelerator.config_settings)
    return (
        heading(device, "boot settings")
        + comment(f"Proof: {profile.proof}.")
        + comment("To be rid of it: `emotion-firmware remove`, or take its include line out of config.txt.")
        + "\n"
        + comment("On any other board this card behaves as before.")
        + f"[{profile.board.boot_filter}]\n"
        + settings_text(settings)
        + "\n"
        + comment("Whatever follows the include line in config.txt is for every board again.")
        + "[all]\n"
    )


def cmdline_text(device: Device) -> str:
    """Render the words that `apply` adds to cmdline.txt; empty where there is no cmdline.txt."""
    profile = device.profile
    if profile.board.family is not Family.RASPBERRY_PI:
        return ""
    settings = (*profile.board.cmdline_settings, *profile.accelerator.cmdline_settings)
    return (
        heading(device, "additions to the kernel's command line")
        + comment(
            "The firmware does not read this file. cmdline.txt is one line and holds no comments, so the reasons are "
            "here and `emotion-firmware apply` adds the words there, each once."
        )
        + settings_text(settings)
    )


def modprobe_text(device: Device) -> str:
    """Render the options of kernel modules; empty when no module needs any."""
    settings = device.profile.accelerator.module_settings
    return heading(device, "options of kernel modules") + settings_text(settings) if settings else ""


def without_kept_words(text: str, kept: Collection[str]) -> str:
    """Turn words that cmdline.txt had before into comments of a rendered command line file, for `words` to skip."""
    return "".join(
        comment(f"{line.strip()} was there before and is not ours to take back.") if line.strip() in kept else line
        for line in text.splitlines(keepends=True)
    )


def words(text: str) -> tuple[str, ...]:
    """Return the words of a rendered command line file, without its comments."""
    return tuple(line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#"))
