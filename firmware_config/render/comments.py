"""Comments of rendered files: each line says why it is there and where the fact comes from."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

from firmware_config.model import Device, Setting

WIDTH = 78
"""Columns of a comment; the first firmwares read no more of a config.txt line."""


def comment(text: str) -> str:
    """Wrap a text into lines that begin with `# `, each with its line end."""
    lines = textwrap.wrap(text, WIDTH, initial_indent="# ", subsequent_indent="# ", break_on_hyphens=False)
    return "".join(line + "\n" for line in lines)


def heading(device: Device, subject: str) -> str:
    """Return the first lines of a rendered file."""
    profile = device.profile
    return comment(f"Emotion Edge: {subject} for {profile.title}.") + comment(
        f"Written by `emotion-firmware` from the profile {profile.name}, camera {device.camera.name}: change the "
        f"profile, not this file."
    )


def settings_text(settings: Iterable[Setting]) -> str:
    """Return the settings, each under its reason and its source."""
    return "".join(
        f"\n{comment(setting.why)}{comment(f'Source: {setting.source}.')}{setting.text}\n" for setting in settings
    )
