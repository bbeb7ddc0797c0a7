"""scripts/install.sh: what it would do on each system, and what it does below a scratch root."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

SYSTEM_PYTHON = "/usr/bin/python3"
OS_RELEASE = "ID={id}\nVERSION_CODENAME={codename}\n"
STOCK_CMDLINE = "console=tty1 root=PARTUUID=0badc0de-02 rootfstype=ext4 rootwait\n"
Install = Callable[..., subprocess.CompletedProcess[str]]


def system_python_is_new_enough() -> bool:
    program = "import sys; sys.exit(sys.version_info < (3, 11))"
    return Path(SYSTEM_PYTHON).exists() and subprocess.run([SYSTEM_PYTHON, "-c", program], check=False).returncode == 0


pytestmark = [
    pytest.mark.skipif(shutil.which("dpkg") is None, reason="the script is for Debian and its descendants"),
    pytest.mark.skipif(not system_python_is_new_enough(), reason="the script needs the system's Python 3.11 or newer"),
]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return the root of a system that is not running: a Trixie of 64 bits with a boot partition."""
    folder = tmp_path / "root"
    boot = folder / "boot/firmware"
    (boot / "overlays").mkdir(parents=True)
    (boot / "config.txt").write_text("dtparam=audio=on\n[all]\n")
    (boot / "cmdline.txt").write_text(STOCK_CMDLINE)
    (boot / "kernel8.img").write_bytes(b"")
    (folder / "etc").mkdir()
    (folder / "etc/passwd").write_text("root:x:0:0::/root:/bin/sh\n")
    (folder / "etc/group").write_text("root:x:0:\n")
    (folder / "etc/os-release").write_text(OS_RELEASE.format(id="debian", codename="trixie"))
    return folder


@pytest.fixture
def install(repository: Path, root: Path, tmp_path: Path) -> Install:
    """Return a runner of the script below the scratch root, on a machine of the given architecture."""

    def run(*arguments: str, architecture: str = "arm64") -> subprocess.CompletedProcess[str]:
        programs = tmp_path / "bin"
        programs.mkdir(exist_ok=True)
        dpkg = programs / "dpkg"
        dpkg.write_text(f"#!/bin/sh\necho {architecture}\n")
        dpkg.chmod(0o755)
        command = [str(repository / "scripts/install.sh"), "--root", str(root), *arguments]
        environment = {**os.environ, "PATH": f"{programs}:/usr/sbin:/usr/bin:/sbin:/bin"}
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)

    return run


def tree(folder: Path) -> dict[str, str]:
    # Not the backups of a card: each application adds one.
    files = (path for path in folder.rglob("*") if path.is_file() and "backups" not in path.parts)
    return {path.relative_to(folder).as_posix(): path.read_text() for path in files}


def test_shellcheck_has_nothing_to_say(repository: Path) -> None:
    shellcheck = shutil.which("shellcheck")
    if shellcheck is None:
        pytest.skip("shellcheck is missing: apt install shellcheck")

    done = subprocess.run(
        [shellcheck, repository / "scripts/install.sh"], capture_output=True, text=True, timeout=60, check=False
    )

    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize(
    ("codename", "architecture", "told"),
    [
        ("bookworm", "arm64", "bookworm on arm64: LiteRT"),
        ("trixie", "arm64", "trixie on arm64: LiteRT"),
        ("trixie", "amd64", "trixie on amd64: LiteRT"),
        ("bookworm", "armhf", "bookworm on armhf: tflite-runtime"),
    ],
)
def test_each_supported_system_gets_its_interpreter(
    install: Install, root: Path, repository: Path, codename: str, architecture: str, told: str
) -> None:
    (root / "etc/os-release").write_text(OS_RELEASE.format(id="debian", codename=codename))

    done = install("--dry-run", architecture=architecture)

    assert done.returncode == 0, done.stderr
    assert told in done.stderr
    assert (
        f"--require-hashes --only-binary=:all: --requirement {repository}/requirements/{codename}-{architecture}.txt"
        in (done.stdout)
    )


@pytest.mark.parametrize(("pip", "made"), [("lib/pip/__init__.py", False), ("elsewhere/pip.py", True)])
def test_an_environment_without_a_pip_of_its_own_is_made_again(
    install: Install, root: Path, pip: str, *, made: bool
) -> None:
    # Half made by a power cut, or of the Python before an upgrade of the system: the system's pip answers, if any.
    venv = root / "opt/emotion-edge"
    (venv / pip).parent.mkdir(parents=True)
    (venv / pip).write_text("")
    python = venv / "bin/python"
    python.parent.mkdir()
    folder = venv / ("elsewhere" if made else "lib")
    python.write_text(
        f"#!/bin/sh\nPYTHONPATH={folder} exec {SYSTEM_PYTHON} -S -c \"import sys; sys.prefix = '{venv}/lib'; $2\"\n"
    )
    python.chmod(0o755)

    done = install("--dry-run")

    assert done.returncode == 0, done.stderr
    assert ("-m venv --clear" in done.stdout) == made


@pytest.mark.parametrize(
    ("codename", "architecture", "told"),
    [
        ("trixie", "armhf", "32-bit Trixie: no TFLite interpreter"),
        ("bullseye", "arm64", "found 'bullseye' on 'arm64'"),
        ("bookworm", "armel", "found 'bookworm' on 'armel'"),
    ],
)
def test_an_unsupported_system_is_refused_with_a_way_out(
    install: Install, root: Path, codename: str, architecture: str, told: str
) -> None:
    (root / "etc/os-release").write_text(OS_RELEASE.format(id="debian", codename=codename))
    before = tree(root)

    done = install("--no-python", architecture=architecture)

    assert done.returncode == 3
    assert told in done.stderr
    assert "; " in done.stderr
    assert tree(root) == before


def test_a_dry_run_changes_nothing(install: Install, root: Path) -> None:
    before = tree(root)

    done = install("--profile", "pi4-coral-usb", "--dropin", "headless", "--dry-run")

    assert done.returncode == 0, done.stderr
    assert "+include emotion-edge.txt" in done.stdout
    assert tree(root) == before


@pytest.mark.parametrize("architecture", ["arm64", "armhf"])
def test_pip_installs_what_is_locked_and_never_numpy(install: Install, root: Path, architecture: str) -> None:
    (root / "etc/os-release").write_text(OS_RELEASE.format(id="debian", codename="bookworm"))

    done = install("--dry-run", architecture=architecture)

    calls = [line for line in done.stdout.splitlines() if " pip install " in line]
    locked = [line for line in calls if "--require-hashes" in line]
    assert "-m venv --clear --system-site-packages" in done.stdout
    assert all("--no-deps" in line for line in calls)
    assert [line for line in calls if line not in locked] == [line for line in calls if "--no-index" in line]
    for line in locked:
        assert "\nnumpy" not in Path(line.split()[-1]).read_text()
    assert len(locked) == (2 if architecture == "armhf" else 1)


def test_unit_user_configuration_and_profile_are_installed(install: Install, root: Path, repository: Path) -> None:
    done = install("--profile", "pi5-coral-m2", "--camera", "imx708", "--dropin", "headless", "--no-python")

    files = tree(root)
    assert done.returncode == 0, done.stderr
    assert files["etc/systemd/system/emotion-edge.service"] == (repository / "systemd/emotion-edge.service").read_text()
    assert "etc/systemd/system/emotion-edge.service.d/headless.conf" in files
    assert files["etc/emotion-edge/config.toml"] == (repository / "systemd/config.toml").read_text()
    assert 'device = "edgetpu:pci:0"' in files["etc/emotion-edge/conf.d/10-board.toml"]
    assert "apex:" in files["etc/group"]
    assert "emotion-edge:" in files["etc/passwd"]
    assert files["boot/firmware/config.txt"].endswith("include emotion-edge.txt\n")


def test_a_relative_root_is_found_by_every_program(install: Install, root: Path) -> None:
    done = install("--root", os.path.relpath(root), "--profile", "pi4", "--no-python")

    assert done.returncode == 0, done.stderr
    assert "emotion-edge:" in (root / "etc/passwd").read_text()
    assert (root / "var/lib/emotion-edge").is_dir()


def test_installing_twice_changes_nothing_and_keeps_ones_own_configuration(install: Install, root: Path) -> None:
    install("--profile", "pi4", "--no-python")
    (root / "etc/emotion-edge/config.toml").write_text("config_version = 1  # mine\n")
    before = tree(root)

    done = install("--profile", "pi4", "--no-python")

    assert done.returncode == 0, done.stderr
    assert tree(root) == before


def test_uninstalling_keeps_configuration_and_leaves_the_boot_files_as_they_were(install: Install, root: Path) -> None:
    before = tree(root)
    install("--profile", "pi4", "--dropin", "kiosk", "--no-python")
    own = root / "etc/systemd/system/emotion-edge.service.d/override.conf"
    own.write_text("[Service]\nNice=5\n")

    done = install("--uninstall")

    after = {name: text for name, text in tree(root).items() if "before-emotion-edge" not in name}
    assert done.returncode == 0, done.stderr
    assert "etc/emotion-edge/config.toml" in after
    assert own.exists()
    assert after["boot/firmware/config.txt"] == before["boot/firmware/config.txt"]
    assert after["boot/firmware/cmdline.txt"] == before["boot/firmware/cmdline.txt"]
    assert not [
        name for name in after if name.startswith(("usr/", "opt/")) or name.endswith((".service", "kiosk.conf"))
    ]


def test_uninstalling_with_purge_takes_the_configuration_too(install: Install, root: Path) -> None:
    install("--profile", "pi4", "--no-python")

    done = install("--uninstall", "--purge")

    assert done.returncode == 0, done.stderr
    assert not (root / "etc/emotion-edge").exists()


def test_uninstalling_what_is_not_there_works(install: Install) -> None:
    assert install("--uninstall").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--nope"], "unknown option '--nope'"),
        (["--profile"], "--profile needs a value"),
        (["--root", "absent/root"], "--root: expected a folder, found no folder 'absent/root'; mount"),
        (["--root", ""], "--root: expected a folder, found no folder ''"),
        (["--dropin", "kisok"], "no drop-in 'kisok'; there are: chrony.conf headless.conf kiosk.conf"),
        (["--profile", "pi44"], 'did you mean "pi4"?'),
        (["--profile", "x86-generic", "--camera", "imx708"], "no camera connector"),
        (["--purge"], "--purge goes with --uninstall"),
    ],
)
def test_a_wrong_word_is_a_usage_error_and_changes_nothing(
    install: Install, root: Path, arguments: list[str], told: str
) -> None:
    before = tree(root)

    done = install(*arguments)

    assert done.returncode == 2
    assert told in done.stderr
    assert tree(root) == before


def test_help_tells_every_option(install: Install, repository: Path) -> None:
    options = {word for word in (repository / "scripts/install.sh").read_text().split() if word.startswith("--")}

    done = install("--help")

    assert done.returncode == 0
    for option in ("--profile", "--camera", "--dropin", "--wheels", "--no-apt", "--no-python", "--root", "--purge"):
        assert option in options
        assert option in done.stdout
