"""Loading profiles: TOML in, validated records out."""

from __future__ import annotations

from pathlib import Path

from firmware_config.errors import ProfileError
from firmware_config.model import Accelerator, Board, Camera, Device, Family, Profile, RuntimeValues, Setting
from firmware_config.tables import Table, nearest, read_toml

DATA = Path(__file__).resolve().parent
"""Folder of the shipped TOML files."""

PROFILE_VERSION = 1
CAMERAS = ("auto", "imx219", "imx477", "imx708", "imx296", "usb")
DETECTORS = ("faces", "yunet", "haar")
CONFIG_LINE_LIMIT = 98
"""Characters of a config.txt entry that the firmware reads (Raspberry Pi documentation, config.txt, file format)."""


def profile_names() -> tuple[str, ...]:
    """Return the names of the shipped profiles, sorted."""
    return _names("profiles")


def board_names() -> tuple[str, ...]:
    """Return the names of the known boards, sorted."""
    return _names("boot/boards")


def accelerator_names() -> tuple[str, ...]:
    """Return the names of the known accelerators, sorted."""
    return _names("boot/accelerators")


def load_profile(name: str) -> Profile:
    """Load a shipped profile by its name, or a profile of one's own by a path that ends in .toml.

    Raises:
        ProfileError: there is no such profile, or it is not valid.
    """
    if name.endswith(".toml"):
        return _read_profile(Path(name))
    if name not in profile_names():
        raise ProfileError(
            f'profile "{name}": expected one of {", ".join(profile_names())}{nearest(name, profile_names())}; '
            f"choose one, or give the path of a .toml file"
        )
    return _read_profile(DATA / "profiles" / f"{name}.toml")


def load_board(name: str) -> Board:
    """Load a board by its name.

    Raises:
        ProfileError: the board's file is not valid.
    """
    table = _open("boot/boards", name)
    family = Family(table.text("family", choices=[family.value for family in Family]))
    board = Board(
        name=name,
        title=table.text("title"),
        family=family,
        memory_mb=table.integer("memory_mb", 256, 65536),
        csi_camera=table.flag("csi_camera"),
        wifi=table.flag("wifi"),
        boot_filter=table.text("boot_filter") if family is Family.RASPBERRY_PI else "",
        device_tree_models=table.texts("device_tree_models"),
        config_settings=_settings(table, "config", limit=CONFIG_LINE_LIMIT),
        cmdline_settings=_settings(table, "cmdline"),
    )
    table.finish()
    return board


def load_accelerator(name: str) -> Accelerator:
    """Load an accelerator by its name.

    Raises:
        ProfileError: the accelerator's file is not valid.
    """
    table = _open("boot/accelerators", name)
    device = table.text("device", choices=("cpu", "edgetpu", "edgetpu:usb:0", "edgetpu:pci:0"))
    accelerator = Accelerator(
        name=name,
        title=table.text("title"),
        device=device,
        boards=table.texts("boards", default=()),
        group=table.text("group") if device != "cpu" else "",
        udev_settings=_udev_rules(table.text("udev")) if device != "cpu" else (),
        config_settings=_settings(table, "config", limit=CONFIG_LINE_LIMIT),
        cmdline_settings=_settings(table, "cmdline"),
        module_settings=_settings(table, "module"),
    )
    table.finish()
    return accelerator


def load_camera(name: str) -> Camera:
    """Load one camera choice.

    Raises:
        ProfileError: there is no such camera.
    """
    if name not in CAMERAS:
        raise ProfileError(f'camera "{name}": expected one of {", ".join(CAMERAS)}{nearest(name, CAMERAS)}; choose one')
    table = read_toml(DATA / "boot" / "cameras.toml").table(name)
    camera = Camera(
        name=name,
        title=table.text("title"),
        csi=table.flag("csi"),
        config_settings=_settings(table, "config", limit=CONFIG_LINE_LIMIT),
        udev_settings=_udev_rules("libcamera") if name != "usb" else (),
    )
    table.finish()
    return camera


def choose(profile: Profile, camera: str) -> Device:
    """Join a profile and a camera.

    Raises:
        ProfileError: the board has no connector for that camera.
    """
    chosen = load_camera(camera)
    if chosen.csi and not profile.board.csi_camera:
        raise ProfileError(
            f'camera "{camera}" on profile "{profile.name}": {profile.board.title} has no camera connector that '
            f"libcamera serves; expected auto or usb; choose one of these"
        )
    return Device(profile=profile, camera=chosen)


def _read_profile(path: Path) -> Profile:
    table = read_toml(path)
    table.integer("profile_version", PROFILE_VERSION, PROFILE_VERSION)
    board = load_board(table.text("board", choices=board_names()))
    accelerator = load_accelerator(table.text("accelerator", choices=accelerator_names()))
    if accelerator.boards and board.name not in accelerator.boards:
        raise table.error("accelerator", f"one that fits the board {board.name}", accelerator.name)
    profile = Profile(
        name=path.stem,
        title=table.text("title"),
        proof=table.text("proof"),
        board=board,
        accelerator=accelerator,
        runtime=_read_runtime(table.table("runtime")),
    )
    table.finish()
    return profile


def _read_runtime(table: Table) -> RuntimeValues:
    values = RuntimeValues(
        width_px=table.integer("width_px", 160, 4608),
        height_px=table.integer("height_px", 120, 2592),
        fps=table.integer("fps", 1, 120),
        threads=table.integer("threads", 1, 16),
        detector=table.text("detector", choices=DETECTORS, default=""),
        every_n_frames=table.integer("every_n_frames", 1, 1000),
    )
    table.finish()
    return values


def _settings(table: Table, key: str, *, limit: int = 2048) -> tuple[Setting, ...]:
    settings = []
    for entry in table.tables(key):
        setting = Setting(text=entry.text("line"), why=entry.text("why"), source=entry.text("source"))
        if len(setting.text) > limit or "\n" in setting.text:
            raise entry.error("line", f"one line of at most {limit} characters", setting.text)
        entry.finish()
        settings.append(setting)
    return tuple(settings)


def _udev_rules(name: str) -> tuple[Setting, ...]:
    table = _open("udev", name)
    rules = _settings(table, "rule")
    table.finish()
    return rules


def _open(folder: str, name: str) -> Table:
    return read_toml(DATA / folder / f"{name}.toml")


def _names(folder: str) -> tuple[str, ...]:
    return tuple(sorted(path.stem for path in (DATA / folder).glob("*.toml")))
