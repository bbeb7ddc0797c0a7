"""scripts/build_deb.py and deb/: what can be said without building a package."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
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

    unit = (package / "usr/lib/systemd/system/emotion-edge.service").read_text()

    assert f"ExecStart=/{program.relative_to(package)} run" in unit
    assert program.read_text().startswith("#!/opt/emotion-edge/bin/python3\n")
    assert "from edge_runtime.__main__ import main\n" in program.read_text()


@pytest.fixture
def script(repository: Path, tmp_path: Path) -> Callable[..., int]:
    """Return a runner of a maintainer script below a scratch root, on a machine without a systemd that runs."""

    def run(name: str, *arguments: str, tmpfiles: int = 0) -> int:
        programs = tmp_path / "programs"
        for program, code in {"systemd-sysusers": 0, "systemd-tmpfiles": tmpfiles, "deb-systemd-helper": 1}.items():
            put(f"#!/bin/sh\nexit {code}\n", programs / program, 0o755)
        text = (repository / "deb" / name).read_text()
        for folder in ("opt/", "etc/", "var/", "run/"):
            text = text.replace(f"/{folder}", f"{tmp_path}/{folder}")
        command = ["/bin/sh", "-c", text, name, *arguments]
        environment = {**os.environ, "PATH": f"{programs}:/usr/bin:/bin"}
        return subprocess.run(command, env=environment, capture_output=True, timeout=60, check=False).returncode

    return run


@pytest.mark.parametrize(("told", "ends_with"), [(0, 0), (65, 0), (73, 0), (1, 1)])
def test_a_folder_that_cannot_be_made_does_not_break_the_package(
    script: Callable[..., int], told: int, ends_with: int
) -> None:
    assert script("postinst", "configure", tmpfiles=told) == ends_with


def test_a_package_whose_folder_is_gone_can_be_removed(script: Callable[..., int]) -> None:
    assert script("prerm", "remove") == 0


def test_what_python_compiled_goes_with_the_package(script: Callable[..., int], tmp_path: Path) -> None:
    compiled = tmp_path / "opt/emotion-edge/lib/python3.11/site-packages/edge_runtime/__pycache__/a.pyc"
    put("", compiled)

    assert script("prerm", "remove") == 0
    assert not compiled.parent.exists()


def test_the_script_s_program_keeps_the_package_out_and_a_rest_of_a_package_does_not(
    script: Callable[..., int], tmp_path: Path
) -> None:
    put("", tmp_path / "opt/emotion-edge/lib/mine")
    unit = tmp_path / "etc/systemd/system/emotion-edge.service"
    unit.parent.mkdir(parents=True)
    unit.symlink_to("/dev/null")  # the mask of a package that was removed
    beside_a_rest = script("preinst", "install")

    put("", tmp_path / "opt/emotion-edge/bin/emotion-edge", 0o755)

    assert (beside_a_rest, script("preinst", "install")) == (0, 1)


@pytest.mark.parametrize("by_script", [True, False])
def test_purging_takes_the_folders_unless_they_are_the_script_s_by_now(
    script: Callable[..., int], tmp_path: Path, *, by_script: bool
) -> None:
    kept = [tmp_path / "etc/emotion-edge/mine.toml", tmp_path / "var/lib/emotion-edge/outbox.db"]
    for path in kept:
        put("", path)
    if by_script:
        put("", tmp_path / "opt/emotion-edge/bin/emotion-edge", 0o755)

    assert script("postrm", "purge") == 0
    assert [path.exists() for path in kept] == [by_script, by_script]


@pytest.mark.parametrize("name", SCRIPTS)
def test_shellcheck_has_nothing_to_say_of_a_maintainer_script(name: str, repository: Path) -> None:
    shellcheck = shutil.which("shellcheck")
    if shellcheck is None:
        pytest.skip("shellcheck is missing: apt install shellcheck")

    done = subprocess.run(
        [shellcheck, repository / "deb" / name], capture_output=True, text=True, timeout=60, check=False
    )

    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda system: system.name)
def test_only_systems_with_wheels_for_everything_get_a_package(system: System) -> None:
    assert bool(system.sources) == system.name.endswith("armhf")
