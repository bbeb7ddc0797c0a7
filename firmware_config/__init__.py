"""Device profiles for Emotion Edge: boot settings, device permissions and runtime values, rendered from TOML.

Uses the standard library alone. Read `model.py` for the words, `profiles.py` for loading, `render/` for the files,
`plan.py` and `apply.py` for writing them to a device.
"""

from __future__ import annotations

from firmware_config.errors import BootPartitionError, FirmwareError, ProfileError, SecretError, WriteError
from firmware_config.plan import plan
from firmware_config.profiles import choose, load_profile, profile_names
from firmware_config.render import render

__all__ = [
    "BootPartitionError",
    "FirmwareError",
    "ProfileError",
    "SecretError",
    "WriteError",
    "choose",
    "load_profile",
    "plan",
    "profile_names",
    "render",
]
