"""What a device is: plain immutable records, each field with its meaning and unit."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass

_USB_ID = re.compile(r'ATTR\{idVendor\}=="(?P<vendor>[0-9a-f]{4})".*ATTR\{idProduct\}=="(?P<product>[0-9a-f]{4})"')


class Family(enum.Enum):
    """Which boot chain a board has."""

    RASPBERRY_PI = "raspberry-pi"
    """config.txt and cmdline.txt on a FAT boot partition."""

    OTHER = "other"
    """Nothing this program may touch before the kernel runs."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One line of a configuration file with the reason for it."""

    text: str
    """The line itself, without a line end."""

    why: str
    """One sentence: what goes wrong or is missing without it."""

    source: str
    """Where the fact comes from."""


@dataclass(frozen=True, slots=True)
class Board:
    """One kind of board."""

    name: str
    title: str
    family: Family
    memory_mb: int
    """Smallest memory this board is sold with, MB."""

    csi_camera: bool
    """Has a camera connector that libcamera serves."""

    wifi: bool
    boot_filter: str
    """Conditional filter of config.txt, without brackets; empty where there is no config.txt."""

    device_tree_models: tuple[str, ...]
    """Beginnings of /proc/device-tree/model on this board."""

    config_settings: tuple[Setting, ...]
    cmdline_settings: tuple[Setting, ...]


@dataclass(frozen=True, slots=True)
class Accelerator:
    """What runs the nets beside or instead of the processor."""

    name: str
    title: str
    device: str
    """Value of the runtime's [models] device."""

    boards: tuple[str, ...]
    """Boards it can be used with; empty means every board."""

    group: str
    """System group that may open the device; empty when there is none."""

    udev_settings: tuple[Setting, ...]
    config_settings: tuple[Setting, ...]
    cmdline_settings: tuple[Setting, ...]
    module_settings: tuple[Setting, ...]
    """Lines of modprobe.d."""

    @property
    def usb_ids(self) -> tuple[str, ...]:
        """vendor:product of every face the device shows on the USB bus, as its udev rules name them."""
        found = (_USB_ID.search(setting.text) for setting in self.udev_settings)
        return tuple(f"{match['vendor']}:{match['product']}" for match in found if match)

    @property
    def apex(self) -> bool:
        """Whether it shows as /dev/apex_N (PCI Express)."""
        return any('SUBSYSTEM=="apex"' in setting.text for setting in self.udev_settings)


@dataclass(frozen=True, slots=True)
class Camera:
    """One camera choice."""

    name: str
    title: str
    csi: bool
    """Needs the camera connector of a Raspberry Pi."""

    config_settings: tuple[Setting, ...]
    udev_settings: tuple[Setting, ...]


@dataclass(frozen=True, slots=True)
class RuntimeValues:
    """Starting values of the runtime's configuration on one device kind."""

    width_px: int
    height_px: int
    fps: int
    """Frames per second asked of the camera."""

    threads: int
    """Threads of one interpreter."""

    detector: str
    """Kind of face detector; empty leaves the choice to the runtime."""

    every_n_frames: int
    """The face detector runs on every n-th frame."""


@dataclass(frozen=True, slots=True)
class Profile:
    """Facts of one device kind: a board, an accelerator and the runtime's starting values."""

    name: str
    title: str
    proof: str
    """What has been seen on real hardware; said again in every rendered boot file."""

    board: Board
    accelerator: Accelerator
    runtime: RuntimeValues


@dataclass(frozen=True, slots=True)
class Device:
    """A profile with a camera chosen: all that rendering needs."""

    profile: Profile
    camera: Camera

    @property
    def uses_libcamera(self) -> bool:
        """Whether frames come through picamera2 rather than V4L2."""
        return self.profile.board.csi_camera and self.camera.name != "usb"
