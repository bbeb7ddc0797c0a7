"""Every error that firmware_config raises on purpose."""

from __future__ import annotations


class FirmwareError(Exception):
    """Base of every error this package raises on purpose."""


class ProfileError(FirmwareError, ValueError):
    """A profile, board, accelerator or camera file, or a choice among them, is not valid."""


class BootPartitionError(FirmwareError, ValueError):
    """A folder is not the boot partition of a Raspberry Pi OS that this program knows."""


class SecretError(FirmwareError, ValueError):
    """A placeholder of the first-boot files has no usable file to be filled from."""


class WriteError(FirmwareError, OSError):
    """A file could not be written or backed up."""
