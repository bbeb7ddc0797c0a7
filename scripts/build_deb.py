"""Build the Debian package of one system: `python -m scripts.build_deb [SYSTEM ...] [--out dist] [--revision 1]`.

A SYSTEM is a name from requirements/ such as bookworm-arm64; without one, all that have wheels for everything. Nothing
of the target runs: wheels are chosen by the lock, checked against its hashes and unpacked, so any Debian machine
builds for every other. Needs dpkg-deb and the network.
"""

from __future__ import annotations

import argparse
import configparser
import datetime as dt
import gzip
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Final

from scripts.build_wheel import ROOT, build_wheel, commit_time
from scripts.lock_requirements import FOLDER, SYSTEMS, System, pip, wheel_options

PARTS: Final = ROOT / "deb"
OPT: Final = "opt/emotion-edge"
SCRIPTS: Final = ("preinst", "postinst", "prerm", "postrm")
COMMANDS: Final = ("emotion-edge", "emotion-firmware")
"""What goes into /usr/bin; the converter stays behind, as TensorFlow is not there."""

RELEASES: Final = {"bookworm": 12, "trixie": 13}
BUILD_ONLY: Final = ("setuptools", "packaging", "vcs-versioning")
"""In the locks because pip builds with them on a device; here the wheel is built before."""


def fill(text: str, words: dict[str, str]) -> str:
    """Replace each @WORD@.

    Raises:
        ValueError: a word has no value.
    """
    for word, value in words.items():
        text = text.replace(f"@{word}@", value)
    if "@" in (rest := text.replace("@example.org", "")):
        raise ValueError(f"deb/control: no value for @{rest.split('@')[1]}@; known are {sorted(words)}")
    return text


def launcher(target: str) -> str:
    """Return the program of one command.

    Args:
        target: as in a wheel's entry points, such as `edge_runtime.__main__:main`.
    """
    module, _, function = target.partition(":")
    return f"#!/{OPT}/bin/python3\nimport sys\n\nfrom {module} import {function}\n\nsys.exit({function}())\n"


def package_version(wheel: Path, system: System, revision: str) -> str:
    """Return the version; that of the later release is the higher one, so an upgrade of the system takes it."""
    own = wheel.name.split("-")[1]
    return f"{own}-{revision}+deb{RELEASES[system.name.partition('-')[0]]}"


def put(text: str | bytes, path: Path, mode: int = 0o644) -> None:
    """Write one file and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    path.chmod(mode)


def link(target: str, path: Path) -> None:
    """Make a symbolic link and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)


def lay_environment(root: Path, system: System, wheel: Path) -> None:
    """Lay the virtual environment: what `python3 -m venv --system-site-packages` and pip would leave."""
    opt = root / OPT
    packages = opt / f"lib/python{system.python}/site-packages"
    lines = (FOLDER / f"{system.name}.txt").read_text(encoding="utf-8").splitlines(keepends=True)
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as wanted:
        wanted.writelines(line for line in lines if not line.startswith(BUILD_ONLY))
        wanted.flush()
        options = ["--no-deps", "--no-compile", "--require-hashes", *wheel_options(system)]
        pip("install", *options, "--target", str(packages), "-r", wanted.name)
    # Programs of the wheels, with this machine's Python in their first line.
    shutil.rmtree(packages / "bin", ignore_errors=True)
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(packages)
    entry_points = configparser.ConfigParser()
    entry_points.read(next(packages.glob("emotion_edge-*.dist-info")) / "entry_points.txt", encoding="utf-8")
    for command in COMMANDS:
        put(launcher(entry_points["console_scripts"][command]), opt / "bin" / command, 0o755)
        link(f"/{OPT}/bin/{command}", root / "usr/bin" / command)
    link(f"/usr/bin/python{system.python}", opt / "bin/python3")
    link("python3", opt / "bin/python")
    put(f"home = /usr/bin\ninclude-system-site-packages = true\nversion = {system.python}\n", opt / "pyvenv.cfg")


def lay_service(root: Path) -> None:
    """Lay unit, user, folders and configuration."""
    systemd = ROOT / "systemd"
    unit = systemd / "emotion-edge.service"
    put(unit.read_bytes(), root / "usr/lib/systemd/system" / unit.name)
    put((systemd / "emotion-edge.sysusers.conf").read_bytes(), root / "usr/lib/sysusers.d/emotion-edge.conf")
    put((systemd / "emotion-edge.tmpfiles.conf").read_bytes(), root / "usr/lib/tmpfiles.d/emotion-edge.conf")
    put((systemd / "config.toml").read_bytes(), root / "etc/emotion-edge/config.toml")
    for dropin in (systemd / "dropins").glob("*.conf"):
        put(dropin.read_bytes(), root / "usr/share/emotion-edge/dropins" / dropin.name)


def lay_documents(root: Path, version: str) -> None:
    """Lay copyright, changelogs and what lintian is told."""
    documents = root / "usr/share/doc/emotion-edge"
    put((PARTS / "copyright").read_bytes(), documents / "copyright")
    when = dt.datetime.fromtimestamp(commit_time(), dt.timezone.utc).strftime("%a, %d %b %Y %H:%M:%S +0000")
    entry = f"emotion-edge ({version}) stable; urgency=medium\n\n  * See changelog.gz.\n\n"
    entry += f" -- The Emotion Edge authors <emotion-edge@example.org>  {when}\n"
    put(gzip.compress(entry.encode(), mtime=0), documents / "changelog.Debian.gz")
    put(gzip.compress((ROOT / "CHANGELOG.md").read_bytes(), mtime=0), documents / "changelog.gz")
    put((PARTS / "lintian-overrides").read_bytes(), root / "usr/share/lintian/overrides/emotion-edge")


def settle_modes(root: Path) -> None:
    """Give folders and our own programs 0755, all else 0644; wheels carry the modes of their makers."""
    for path in (root, *root.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.parent == root / OPT / "bin" else 0o644)


def lay_control(root: Path, system: System, version: str) -> None:
    """Lay what dpkg reads: control, conffiles, scripts and digests."""
    files = [path for path in sorted(root.rglob("*")) if path.is_file() and not path.is_symlink()]
    major, minor = system.python.split(".")
    words = {
        "VERSION": version,
        "ARCHITECTURE": system.name.partition("-")[2],
        "SIZE_KB": str(sum(path.stat().st_size for path in files) // 1024),
        "PYTHON": system.python,
        "PYTHON_AFTER": f"{major}.{int(minor) + 1}",
    }
    put(fill((PARTS / "control").read_text(encoding="utf-8"), words), root / "DEBIAN/control")
    put((PARTS / "conffiles").read_bytes(), root / "DEBIAN/conffiles")
    for name in SCRIPTS:
        put((PARTS / name).read_bytes(), root / "DEBIAN" / name, 0o755)
    digests = (
        f"{hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()}  {path.relative_to(root)}\n"
        for path in files
        if path.relative_to(root).parts[0] != "etc"
    )
    put("".join(digests), root / "DEBIAN/md5sums")
    # dpkg-deb refuses the folder that a narrow umask makes.
    (root / "DEBIAN").chmod(0o755)


def build_deb(system: System, out: Path, revision: str = "1") -> Path:
    """Build the package of one system.

    Args:
        system: all of whose requirements have wheels.
        out: folder for wheel and package.
        revision: Debian's; higher for another package of the same version.
    """
    wheel = build_wheel(out)
    version = package_version(wheel, system, revision)
    package = out / f"emotion-edge_{version}_{system.name.partition('-')[2]}.deb"
    with tempfile.TemporaryDirectory(dir=out) as folder:
        root = Path(folder, "root")
        lay_environment(root, system, wheel)
        lay_service(root)
        lay_documents(root, version)
        settle_modes(root)
        lay_control(root, system, version)
        environment = {**os.environ, "SOURCE_DATE_EPOCH": str(commit_time())}
        command = ["dpkg-deb", "--root-owner-group", "-Zgzip", "-z4", "--build", str(root), str(package)]
        subprocess.run(command, env=environment, check=True, timeout=1800, stdout=subprocess.DEVNULL)
    return package


def main() -> int:
    """Build the packages that were asked for and print their paths."""
    possible = {system.name: system for system in SYSTEMS if not system.sources}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("systems", nargs="*", metavar="SYSTEM", help=f"of {', '.join(possible)}")
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="folder (default dist)")
    parser.add_argument("--revision", default="1", help="Debian revision (default 1)")
    options = parser.parse_args()
    if unknown := sorted(set(options.systems) - set(possible)):
        parser.error(f"no package for {', '.join(unknown)}; there are {', '.join(possible)}")
    options.out.mkdir(parents=True, exist_ok=True)
    for name in options.systems or possible:
        print(build_deb(possible[name], options.out, options.revision))
    return 0


if __name__ == "__main__":
    sys.exit(main())
