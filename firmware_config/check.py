"""Checks: are the shipped profiles sound, and does this machine look as a profile says. Reading only."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from firmware_config.errors import BootPartitionError
from firmware_config.model import Device, Family, Profile
from firmware_config.plan import plan
from firmware_config.profiles import CAMERAS, choose, load_camera, load_profile, profile_names
from firmware_config.render import render, system_files
from firmware_config.render.access import USER
from firmware_config.render.boot import words
from firmware_config.render.paths import CMDLINE_WORDS


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at."""

    subject: str
    state: str
    """ok, failed, or unknown when this machine cannot tell."""

    detail: str
    """What was found; for a failure also the remedy."""


def check_profiles() -> tuple[Finding, ...]:
    """Load every shipped profile and render it with every camera its board can have."""
    findings = []
    for name in profile_names():
        profile = load_profile(name)
        cameras = [camera for camera in CAMERAS if profile.board.csi_camera or not load_camera(camera).csi]
        count = sum(len(render(choose(profile, camera))) for camera in cameras)
        findings.append(Finding(name, "ok", f"{len(cameras)} cameras, {count} files rendered"))
    return tuple(findings)


def fitting_profiles(root: Path) -> tuple[str, ...]:
    """Return the shipped profiles whose board is the machine under `root`; empty when it has no device tree."""
    model = _device_tree_model(root)
    return tuple(name for name in profile_names() if model and _is_board(load_profile(name), model))


def check_device(
    device: Device, root: Path, boot: Path | None = None, profile: str | None = None
) -> tuple[Finding, ...]:
    """Compare a machine with a device.

    Args:
        device: what the machine should be.
        root: root of the system.
        boot: as for `plan`.
        profile: the profile as the person named it, for remedies: a file has to be named again as a file.
    """
    checks: tuple[Callable[[Device, Path], Iterator[Finding]], ...] = (
        _check_board,
        lambda device, root: _check_files(device, root, boot, profile or device.profile.name),
        _check_command_line,
        _check_memory_controller,
        _check_camera,
        _check_accelerator,
        _check_user,
    )
    return tuple(finding for check in checks for finding in check(device, root))


def _check_board(device: Device, root: Path) -> Iterator[Finding]:
    model, profile = _device_tree_model(root), device.profile
    expected = " or ".join(profile.board.device_tree_models) or "no device tree"
    if not model and not profile.board.device_tree_models:
        yield Finding("board", "ok", "no device tree, as expected")
    elif not model:
        yield Finding("board", "unknown", f"no /proc/device-tree/model under {root}; expected {expected}")
    elif _is_board(profile, model):
        yield Finding("board", "ok", model)
    else:
        fitting = ", ".join(fitting_profiles(root)) or "none"
        yield Finding("board", "failed", f"found {model}, expected {expected}; profiles that fit: {fitting}")


def _check_files(device: Device, root: Path, boot: Path | None, profile: str) -> Iterator[Finding]:
    try:
        changes = plan(device, root, boot).changes
    except BootPartitionError as error:
        yield Finding("files", "failed", str(error))
        return
    if changes:
        names = ", ".join(change.name for change in changes)
        # The same choices again: without its camera `apply` would write other files than those looked for.
        camera = [] if device.camera.name == "auto" else ["--camera", device.camera.name]
        place = [] if boot is None else ["--boot", str(boot)]
        command = shlex.join(["emotion-firmware", "apply", profile, str(root), *camera, *place])
        yield Finding("files", "failed", f"{names} differ from the profile; run `{command}` and restart")
    else:
        yield Finding("files", "ok", "as the profile renders them")


def _check_command_line(device: Device, root: Path) -> Iterator[Finding]:
    wanted = words(system_files(device).get(CMDLINE_WORDS, ""))
    running = (_read(root / "proc/cmdline") or "").split()
    missing = [word for word in wanted if word not in running]
    if wanted and not running:
        yield Finding("command line", "unknown", f"no /proc/cmdline under {root}")
    elif missing:
        yield Finding("command line", "failed", f"the running kernel has no {' '.join(missing)}; restart after `apply`")
    elif wanted:
        yield Finding("command line", "ok", " ".join(wanted))


def _check_memory_controller(device: Device, root: Path) -> Iterator[Finding]:
    if device.profile.board.family is not Family.RASPBERRY_PI:
        return
    controllers = _read(root / "sys/fs/cgroup/cgroup.controllers")
    if controllers is None:
        yield Finding("memory limits", "unknown", f"no /sys/fs/cgroup/cgroup.controllers under {root}")
    elif "memory" in controllers.split():
        yield Finding("memory limits", "ok", "the memory controller is on")
    else:
        yield Finding(
            "memory limits",
            "failed",
            "the kernel has no memory controller: MemoryMax of the unit has no effect; restart after `apply`, and "
            "where that does not help update the kernel (raspberrypi/linux issue 6980)",
        )


def _check_camera(device: Device, root: Path) -> Iterator[Finding]:
    nodes = sorted(path.name for path in (root / "dev").glob("video[0-9]*"))
    if nodes:
        yield Finding("camera", "ok", f"{len(nodes)} video nodes, first {nodes[0]}; `emotion-edge check` opens it")
    else:
        remedy = "check the cable, then `apply` and restart" if device.uses_libcamera else "plug the camera in"
        yield Finding("camera", "failed", f"no /dev/video* under {root}; {remedy}")


def _check_accelerator(device: Device, root: Path) -> Iterator[Finding]:
    accelerator = device.profile.accelerator
    if accelerator.usb_ids:
        seen = [usb_id for usb_id in _usb_ids(root) if usb_id in accelerator.usb_ids]
        found, where = bool(seen), f"USB device {' or '.join(accelerator.usb_ids)}"
    elif accelerator.apex:
        found, where = (root / "dev/apex_0").exists(), "/dev/apex_0"
    else:
        return
    state = "ok" if found else "failed"
    detail = f"{where} is there" if found else f"{where} is not there; see docs/deploy-coral.md"
    yield Finding("accelerator", state, detail)


def _check_user(device: Device, root: Path) -> Iterator[Finding]:
    members = _group_members(root)
    group = device.profile.accelerator.group
    groups = ["video", *([group] if group else [])]
    missing = [name for name in groups if USER not in members.get(name, ())]
    if missing:
        remedy = "after `apply` run `systemd-sysusers`, then `udevadm control --reload` and `udevadm trigger`"
        yield Finding("user", "failed", f"{USER} is not in the group {' and '.join(missing)}; {remedy}")
    else:
        yield Finding("user", "ok", f"{USER} is in {' and '.join(groups)}")


def _is_board(profile: Profile, model: str) -> bool:
    return any(model.startswith(known) for known in profile.board.device_tree_models)


def _device_tree_model(root: Path) -> str:
    # The kernel ends device tree strings with a NUL.
    return (_read(root / "proc/device-tree/model") or "").rstrip("\0\n")


def _usb_ids(root: Path) -> Iterator[str]:
    for vendor in sorted((root / "sys/bus/usb/devices").glob("*/idVendor")):
        product = _read(vendor.with_name("idProduct")) or ""
        yield f"{(_read(vendor) or '').strip()}:{product.strip()}"


def _group_members(root: Path) -> dict[str, list[str]]:
    lines = (_read(root / "etc/group") or "").splitlines()
    return {line.split(":")[0]: line.split(":")[3].split(",") for line in lines if line.count(":") == 3}


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else None
