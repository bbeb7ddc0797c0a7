"""scripts/build_deb.py and deb/: what can be said without building a package."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from scripts.build_deb import SCRIPTS, fill, launcher, lay_control, lay_documents, lay_service, package_version, put
from scripts.lock_requirements import SYSTEMS, System

BOOKWORM_ARM, TRIXIE_ARM = SYSTEMS[1], SYSTEMS[3]
WHEEL = Path("emotion_edge-0.1.0-py3-none-any.whl")


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """Return the root of a package without its Python environment."""
    root = tmp_path / "root"
    lay_service(root)
    lay_documents(root, "0.1.0-1+deb12")
    lay_control(root, BOOKWORM_ARM, "0.1.0-1+deb12")
    return root


def control(root: Path) -> dict[str, str]:
    lines = (root / "DEBIAN/control").read_text().splitlines()
    return dict(line.split(": ", 1) for line in lines if not line.startswith(" "))


def test_control_names_machine_and_the_python_the_wheels_are_for(package: Path) -> None:
    fields = control(package)

    assert fields["Architecture"] == "arm64"
    assert fields["Version"] == "0.1.0-1+deb12"
    assert "python3 (>= 3.11), python3 (<< 3.12), python3-numpy" in fields["Depends"]
    assert int(fields["Installed-Size"]) > 0


def test_a_word_of_control_without_a_value_is_refused() -> None:
    with pytest.raises(ValueError, match="no value for @SIZE@; known are"):
        fill("Version: @VERSION@\nInstalled-Size: @SIZE@\n", {"VERSION": "1"})


@pytest.mark.skipif(shutil.which("dpkg-deb") is None, reason="dpkg-deb is missing: apt install dpkg")
def test_a_narrow_umask_does_not_keep_dpkg_from_building(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        lay_control(tmp_path / "root", BOOKWORM_ARM, "0.1.0-1+deb12")
    finally:
        os.umask(before)

    command = ["/usr/bin/dpkg-deb", "--build", str(tmp_path / "root"), str(tmp_path / "some.deb")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert "bad permissions" not in done.stderr
    assert (tmp_path / "root/DEBIAN").stat().st_mode & 0o777 == 0o755


def test_every_file_below_etc_is_a_conffile(package: Path) -> None:
    named = (package / "DEBIAN/conffiles").read_text().split()

    laid = [f"/{path.relative_to(package)}" for path in (package / "etc").rglob("*") if path.is_file()]

    assert named == laid == ["/etc/emotion-edge/config.toml"]


def test_a_later_debian_has_the_higher_version() -> None:
    older, newer = (package_version(WHEEL, system, "1") for system in (BOOKWORM_ARM, TRIXIE_ARM))

    done = subprocess.run(["/usr/bin/dpkg", "--compare-versions", older, "lt", newer], timeout=60, check=False)

    assert (older, newer) == ("0.1.0-1+deb12", "0.1.0-1+deb13")
    assert done.returncode == 0


def test_the_unit_starts_what_the_package_lays(package: Path, tmp_path: Path) -> None:
    program = tmp_path / "root/opt/emotion-edge/bin/emotion-edge"
    put(launcher("edge_runtime.__main__:main"), program, 0o755)

    unit = (package / "lib/systemd/system/emotion-edge.service").read_text()

    assert f"ExecStart=/{program.relative_to(package)} run" in unit
    assert program.read_text().startswith("#!/opt/emotion-edge/bin/python3\n")
    assert "from edge_runtime.__main__ import main\n" in program.read_text()


@pytest.mark.parametrize(("told", "ends_with"), [(0, 0), (65, 0), (73, 0), (1, 1)])
def test_a_folder_that_cannot_be_made_does_not_break_the_package(
    told: int, ends_with: int, repository: Path, tmp_path: Path
) -> None:
    for name, code in {"systemd-sysusers": 0, "systemd-tmpfiles": told, "deb-systemd-helper": 1}.items():
        put(f"#!/bin/sh\nexit {code}\n", tmp_path / name, 0o755)
    # Nothing below /opt and no systemd that runs: what else the script does is told and passed over.
    script = (repository / "deb/postinst").read_text().replace("/opt/", f"{tmp_path}/opt/")
    script = script.replace("/run/systemd/system", str(tmp_path / "system"))

    done = subprocess.run(
        ["/bin/sh", "-c", script, "postinst", "configure"],
        env={**os.environ, "PATH": f"{tmp_path}:/usr/bin:/bin"},
        capture_output=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == ends_with


@pytest.mark.parametrize("script", SCRIPTS)
def test_shellcheck_has_nothing_to_say_of_a_maintainer_script(script: str, repository: Path) -> None:
    shellcheck = shutil.which("shellcheck")
    if shellcheck is None:
        pytest.skip("shellcheck is missing: apt install shellcheck")

    done = subprocess.run(
        [shellcheck, repository / "deb" / script], capture_output=True, text=True, timeout=60, check=False
    )

    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda system: system.name)
def test_only_systems_with_wheels_for_everything_get_a_package(system: System) -> None:
    assert bool(system.sources) == system.name.endswith("armhf")
