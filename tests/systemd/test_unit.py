"""The unit loads without a warning, is hardened, and says what the runtime and the profiles rely on."""

from __future__ import annotations

import configparser
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from edge_runtime.config import load_config
from firmware_config.profiles import choose, load_profile, profile_names
from firmware_config.render import system_files
from firmware_config.render.paths import SYSUSERS, TMPFILES

DROPINS = ("kiosk", "headless", "test", "mqtt-password", "chrony")
VARIANTS = [pytest.param(name, id=name or "plain") for name in (None, *DROPINS)]
MakeUnit = Callable[[str | None], Path]
FindTool = Callable[[str], str]


def run(*command: object) -> subprocess.CompletedProcess[str]:
    words = [str(word) for word in command]
    return subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)


def rules(text: str) -> list[str]:
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def service(text: str) -> configparser.SectionProxy:
    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read_string(text)
    return parser["Service"]


def test_every_dropin_is_tested(repository: Path) -> None:
    assert {path.stem for path in (repository / "systemd/dropins").iterdir()} == set(DROPINS)


@pytest.mark.parametrize("dropin", VARIANTS)
def test_the_unit_loads_without_a_word_on_standard_error(unit_of: MakeUnit, tool: FindTool, dropin: str | None) -> None:
    analyze, unit = tool("systemd-analyze"), unit_of(dropin)

    done = run(analyze, "verify", "--man=no", unit)

    # It returns 0 for an unknown key too; only standard error tells.
    assert (done.returncode, done.stderr) == (0, "")


def test_an_unknown_key_in_a_dropin_would_be_noticed(unit_of: MakeUnit, tool: FindTool) -> None:
    analyze, unit = tool("systemd-analyze"), unit_of("headless")
    dropin = unit.with_suffix(".service.d") / "headless.conf"
    dropin.write_text(dropin.read_text() + "ProtectSytem=strict\n")

    done = run(analyze, "verify", "--man=no", unit)

    assert "ProtectSytem" in done.stderr


@pytest.mark.parametrize("dropin", VARIANTS)
def test_exposure_is_at_most_two(unit_of: MakeUnit, tool: FindTool, dropin: str | None) -> None:
    analyze, unit = tool("systemd-analyze"), unit_of(dropin)

    done = run(analyze, "security", "--offline=true", "--threshold=20", "--no-pager", unit)

    assert done.returncode == 0, done.stdout[-400:] + done.stderr


def test_an_unprotected_unit_would_fail_the_same_gate(unit_of: MakeUnit, tool: FindTool) -> None:
    analyze, unit = tool("systemd-analyze"), unit_of(None)
    unit.write_text("[Service]\nExecStart=/bin/true\n")

    done = run(analyze, "security", "--offline=true", "--threshold=20", "--no-pager", unit)

    assert done.returncode != 0


def test_what_hides_the_camera_or_slows_the_nets_is_not_set(repository: Path) -> None:
    unit = service((repository / "systemd/emotion-edge.service").read_text())

    assert "PrivateDevices" not in unit
    assert "ProcSubset" not in unit


def test_the_kernel_devices_of_camera_and_accelerators_are_allowed(repository: Path) -> None:
    text = (repository / "systemd/emotion-edge.service").read_text()

    allowed = re.findall(r"^DeviceAllow=char-(\S+) rw$", text, re.MULTILINE)

    assert allowed == ["video4linux", "media", "dma_heap", "usb_device", "apex"]


@pytest.mark.parametrize("module", ["videodev", "apex"])
def test_a_device_that_comes_later_is_of_a_kind_the_kernel_knows_at_the_start(repository: Path, module: str) -> None:
    # systemd.resource-control(5): what /proc/devices does not name when the unit starts is never allowed to it.
    text = (repository / "systemd/emotion-edge.service").read_text()

    for key in ("Wants", "After"):
        named = " ".join(re.findall(f"^{key}=(.*)$", text, re.MULTILINE)).split()
        assert f"modprobe@{module}.service" in named


def test_the_service_is_in_every_group_the_unit_names(repository: Path) -> None:
    unit = service((repository / "systemd/emotion-edge.service").read_text())
    users = rules((repository / "systemd/emotion-edge.sysusers.conf").read_text())

    for group in unit["SupplementaryGroups"].split():
        assert f"m {unit['User']} {group}" in users


@pytest.mark.parametrize("profile", profile_names())
def test_a_profile_holds_all_lines_of_the_files_it_overrides(repository: Path, profile: str) -> None:
    files = system_files(choose(load_profile(profile), "auto"))

    for rendered, installed in ((SYSUSERS, "sysusers"), (TMPFILES, "tmpfiles")):
        general = rules((repository / f"systemd/emotion-edge.{installed}.conf").read_text())
        assert set(general) <= set(rules(files[rendered]))


def test_the_user_and_its_groups_come_out_as_written(repository: Path, tool: FindTool, tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()

    done = run(tool("systemd-sysusers"), f"--root={tmp_path}", repository / "systemd/emotion-edge.sysusers.conf")

    groups = (tmp_path / "etc/group").read_text()
    assert done.returncode == 0, done.stderr
    assert re.search(r"^emotion-edge:.*:/usr/sbin/nologin$", (tmp_path / "etc/passwd").read_text(), re.MULTILINE)
    for group in ("video", "render", "plugdev"):
        assert re.search(f"^{group}:.*:emotion-edge$", groups, re.MULTILINE)


def test_the_folders_come_out_as_written(repository: Path, tool: FindTool, tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    sysusers, tmpfiles = tool("systemd-sysusers"), tool("systemd-tmpfiles")
    run(sysusers, f"--root={tmp_path}", repository / "systemd/emotion-edge.sysusers.conf")
    for name in ("passwd", "group"):
        with (tmp_path / "etc" / name).open("a") as stream:
            stream.write("root:x:0:0::/root:/bin/sh\n" if name == "passwd" else "root:x:0:\n")

    done = run(tmpfiles, "--create", f"--root={tmp_path}", repository / "systemd/emotion-edge.tmpfiles.conf")

    folders = (
        "etc/emotion-edge/conf.d",
        "etc/emotion-edge/credentials",
        "var/lib/emotion-edge",
        "var/log/emotion-edge",
    )
    modes = [oct((tmp_path / folder).stat().st_mode & 0o777) for folder in folders]
    assert done.returncode == 0, done.stderr
    assert modes == ["0o755", "0o700", "0o700", "0o700"]
    assert (tmp_path / "var/log/emotion-edge").stat().st_uid != 0


def test_the_first_configuration_loads_in_the_runtime(repository: Path) -> None:
    config = load_config(repository / "systemd/config.toml")

    assert config.log.file == "/var/log/emotion-edge/events.jsonl"
    assert not config.console.enabled


def test_the_headless_dropin_sets_a_key_the_runtime_knows(repository: Path) -> None:
    text = (repository / "systemd/dropins/headless.conf").read_text()
    variables = dict(re.findall(r"^Environment=(EMOTION_EDGE_\w+)=(\S+)$", text, re.MULTILINE))

    config = load_config(repository / "systemd/config.toml", environment=variables)

    assert variables
    assert not config.console.enabled
