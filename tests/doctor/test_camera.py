"""The camera: what keeps a source from giving frames, and which command helps."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from edge_runtime.doctor import Finding, Machine
from edge_runtime.doctor.camera import look, look_through
from edge_runtime.errors import SourceError
from edge_runtime.settings import Source
from edge_runtime.testing.picamera import FakeSensor, fake_picamera2
from tests.doctor.machines import USER, machine, only, put, software

RIBBON = Source(uri="picamera")


def install(monkeypatch: pytest.MonkeyPatch, module: ModuleType) -> None:
    """Let this process find a picamera2."""
    monkeypatch.setitem(sys.modules, "picamera2", module)


def findings(looked_at: Machine, source: Source = RIBBON, prefix: Path = Path("/usr")) -> list[Finding]:
    """Look with the libraries of a healthy board."""
    return look(looked_at, software(prefix=prefix), source)


def test_ribbon_cameras_are_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    picture = np.zeros((480, 640), np.uint8)
    install(monkeypatch, fake_picamera2([FakeSensor([picture], model="imx708")]))

    wanted = only(findings(machine(tmp_path)), "picamera2")
    other = only(findings(machine(tmp_path), Source(uri="camera:0")), "picamera2")

    assert (wanted.state, wanted.found) == ("ok", "libcamera finds imx708")
    assert other.found == "libcamera finds imx708; to use it: --source picamera"


def test_no_ribbon_camera_fails_only_where_one_is_wanted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, fake_picamera2([]))
    looked_at = machine(tmp_path)

    wanted = only(findings(looked_at), "picamera2")
    other = only(findings(looked_at, Source(uri="camera:0")), "picamera2")

    assert (wanted.state, wanted.exit_code) == ("failed", 4)
    assert "rpicam-hello --list-cameras" in wanted.remedy
    assert other.state == "ok"


def test_a_broken_libcamera_names_the_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, ModuleType("picamera2"))  # it has no Picamera2

    found = only(findings(machine(tmp_path)), "picamera2")

    assert found.state == "failed"
    assert "python3-libcamera" in found.remedy


def test_an_environment_that_cannot_see_the_systems_picamera2_is_to_be_made_again(tmp_path: Path) -> None:
    looked_at = machine(tmp_path)
    put(tmp_path, "usr/lib/python3/dist-packages/picamera2/__init__.py", "")
    put(tmp_path, "venv/pyvenv.cfg", "home = /usr/bin\ninclude-system-site-packages = false\n")

    found = only(findings(looked_at, prefix=tmp_path / "venv"), "picamera2")

    assert found.state == "failed"
    assert f"python3 -m venv --clear --system-site-packages {tmp_path}/venv" in found.remedy


@pytest.mark.parametrize(("name", "state"), [("pi4", "warning"), ("x86-generic", "off")])
def test_a_missing_picamera2_matters_on_a_raspberry_pi_only(name: str, state: str, tmp_path: Path) -> None:
    found = only(findings(machine(tmp_path, name), Source(uri="camera:0")), "picamera2")

    assert found.state == state
    assert ("sudo apt install --yes python3-picamera2" in found.remedy) is (state == "warning")


def test_the_nodes_of_one_camera_count_once(tmp_path: Path) -> None:
    looked_at = machine(tmp_path)
    put(tmp_path, "sys/class/video4linux/video1/name", "USB Camera: USB Camera\n")

    assert only(findings(looked_at), "cameras").found == "USB Camera: USB Camera (/dev/video0)"


def test_nodes_that_this_user_may_not_open_name_the_group(tmp_path: Path) -> None:
    healthy = machine(tmp_path)
    stranger = Machine(healthy.root, uid=USER, gids=frozenset({USER}))

    mine = only(findings(healthy), "device nodes")
    found = only(findings(stranger), "device nodes")

    assert mine.state == "ok"
    assert found.found == "this user may not open 1 of 1, the first is /dev/video0"
    assert found.remedy == "sudo usermod --append --groups video pi, then log in again"


def test_nodes_of_root_alone_name_the_profile(tmp_path: Path) -> None:
    healthy = machine(tmp_path)
    put(tmp_path, "etc/group", f"root:x:{(tmp_path / 'dev/video0').stat().st_gid}:\n")

    found = only(findings(Machine(healthy.root, uid=USER, gids=frozenset({USER}))), "device nodes")

    assert "root's alone" in found.found
    assert "emotion-firmware apply" in found.remedy


def test_a_black_picture_is_a_warning(tmp_path: Path) -> None:
    (tmp_path / "black.pgm").write_bytes(b"P5 64 48 255\n" + bytes(64 * 48))

    found = look_through(Source(uri=str(tmp_path)), service_runs=False)

    assert found.state == "warning"
    assert "lens cap" in found.remedy


def test_a_camera_that_the_running_service_has_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    sensor = FakeSensor([np.zeros((480, 640), np.uint8)], held_by_another=True)
    install(monkeypatch, fake_picamera2([sensor]))

    found = look_through(RIBBON, service_runs=True)

    assert found.state == "warning"
    assert found.remedy == "stop the service first: sudo systemctl stop emotion-edge"
    with pytest.raises(SourceError):
        look_through(RIBBON, service_runs=False)


def test_a_clip_whose_name_begins_like_a_camera_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, fake_picamera2([]))
    clip = tmp_path / "picamera_clip.mp4"
    clip.write_bytes(b"")
    monkeypatch.chdir(tmp_path)

    found = only(findings(machine(tmp_path / "board"), Source(uri=clip.name)), "picamera2")

    assert found.state == "ok"
