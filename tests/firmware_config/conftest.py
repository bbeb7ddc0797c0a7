"""A mounted Raspberry Pi OS card to apply profiles to, and where the golden files are."""

from __future__ import annotations

from pathlib import Path

import pytest

# The shape of Raspberry Pi OS's own files, written for these tests.
STOCK_CONFIG = """\
# For more options see the documentation
dtparam=audio=on
camera_auto_detect=1
dtoverlay=vc4-kms-v3d
max_framebuffers=2
arm_boost=1

[cm4]
otg_mode=1

[cm5]
dtoverlay=dwc2,dr_mode=host

[all]
"""
STOCK_CMDLINE = (
    "console=serial0,115200 console=tty1 root=PARTUUID=0badc0de-02 rootfstype=ext4 fsck.repair=yes rootwait\n"
)


@pytest.fixture
def card(tmp_path: Path) -> Path:
    """Return the root of a mounted card with a boot partition as Bookworm and Trixie have it."""
    boot = tmp_path / "card" / "boot" / "firmware"
    (boot / "overlays").mkdir(parents=True)
    (boot / "config.txt").write_text(STOCK_CONFIG)
    (boot / "cmdline.txt").write_text(STOCK_CMDLINE)
    (boot / "kernel8.img").write_bytes(b"")
    return tmp_path / "card"


@pytest.fixture
def golden() -> Path:
    """Return the folder of golden files: one tree for each PROFILE or PROFILE+CAMERA."""
    return Path(__file__).parent / "golden"
