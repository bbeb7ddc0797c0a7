"""Write requirements/SYSTEM.txt: what pip may install on each system, exact versions with the SHA-256 of each file.

    python -m scripts.lock_requirements            # resolve again; needs the network, changes versions
    python -m scripts.lock_requirements --check    # does each file hold what it should? no network

Debian's numpy is not in them: picamera2 is compiled against it, so pip must neither install nor replace it. The files
are whole, so pip takes them with --no-deps and --require-hashes.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
FOLDER: Final = ROOT / "requirements"
LOCKED: Final = re.compile(r"^(?P<name>[\w.-]+)==(?P<version>\S+) --hash=sha256:(?P<sha256>[0-9a-f]{64})$")


@dataclass(frozen=True)
class System:
    """A Debian release on a machine, and what decides which files fit it."""

    name: str
    """Release and architecture in Debian's words: the name of the file."""

    python: str
    """Of the release."""

    numpy: str
    """Version of the release's python3-numpy; the resolver keeps to it."""

    machine: str
    """As in the names of wheels."""

    wants: tuple[str, ...]
    """Wheels."""

    alone: tuple[str, ...] = ()
    """Wheels whose own requirements Debian gives."""

    sources: tuple[str, ...] = ()
    """No wheel exists: pip compiles these on the device, so they have a file of their own, SYSTEM-sources.txt."""

    from_debian: tuple[str, ...] = ()
    """What setup.py asks for and Debian's own packages give, besides numpy."""


_COMMON: Final = ("paho-mqtt>=2.1,<3", "setuptools>=80")
_FULL: Final = (*_COMMON, "msgspec>=0.18", "opencv-python-headless>=4.8,<5", "ai-edge-litert>=2.0,<3")
# setuptools-scm: the source of msgspec is built with it.
_SMALL: Final = (*_COMMON, "setuptools-scm>=8")

SYSTEMS: Final = (
    System("bookworm-amd64", "3.11", "1.24.2", "x86_64", _FULL),
    System("bookworm-arm64", "3.11", "1.24.2", "aarch64", _FULL),
    System("trixie-amd64", "3.13", "2.2.4", "x86_64", _FULL),
    System("trixie-arm64", "3.13", "2.2.4", "aarch64", _FULL),
    System(
        "bookworm-armhf",
        "3.11",
        "1.24.2",
        "armv7l",
        _SMALL,
        alone=("tflite-runtime==2.14.0",),
        sources=("msgspec>=0.18",),
        from_debian=("opencv-python-headless",),
    ),
)


@dataclass(frozen=True, order=True)
class Locked:
    """One file that pip may install."""

    name: str
    version: str
    sha256: str


def platforms(machine: str) -> list[str]:
    """Return the wheel tags that Bookworm's C library (2.36) can load, the newest first."""
    return [*(f"manylinux_2_{minor}_{machine}" for minor in range(36, 16, -1)), f"manylinux2014_{machine}"]


def wheel_options(system: System) -> list[str]:
    """Return pip's options that choose wheels for a system from any machine."""
    tags = [word for tag in platforms(system.machine) for word in ("--platform", tag)]
    return ["--python-version", system.python, "--only-binary=:all:", *tags]


def pip(*arguments: str) -> None:
    """Run pip without this machine's own settings, whose package sources others do not have."""
    command = [sys.executable, "-m", "pip", "--isolated", "--quiet", "--disable-pip-version-check", *arguments]
    subprocess.run(command, check=True, timeout=1800)


def resolve(arguments: list[str]) -> list[Locked]:
    """Let pip choose versions; nothing is installed.

    Args:
        arguments: requirements and options of `pip install`.
    """
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.json")
        pip("install", "--dry-run", "--ignore-installed", "--report", str(report), *arguments)
        found = json.loads(report.read_text(encoding="utf-8"))["install"]
    return [
        Locked(
            item["metadata"]["name"].lower().replace("_", "-"),
            item["metadata"]["version"],
            item["download_info"]["archive_info"]["hashes"]["sha256"],
        )
        for item in found
    ]


def lock(system: System) -> dict[str, list[Locked]]:
    """Choose every file of one system, without numpy.

    Returns:
        By the name of the lock: wheels, and where there are some, sources.
    """
    # Where OpenCV is Debian's, so is all that needs numpy, and no index has a numpy for the machine.
    numpy = [] if system.from_debian else [f"numpy=={system.numpy}"]
    with tempfile.TemporaryDirectory() as target:
        options = [*wheel_options(system), "--target", target]
        files = resolve([*options, *numpy, *system.wants])
        if system.alone:
            files += resolve([*options, "--no-deps", *system.alone])
    chosen = {system.name: sorted(item for item in files if item.name != "numpy")}
    if system.sources:
        chosen[f"{system.name}-sources"] = sorted(resolve(["--no-deps", "--no-binary=:all:", *system.sources]))
    return chosen


def render(name: str, system: System, files: list[Locked]) -> str:
    """Return the text of one file.

    Args:
        name: of the file, without its ending.
        system: for which it is.
        files: in the order of the file.
    """
    given = ", ".join(("numpy", *system.from_debian))
    head = [
        f"# {system.name}, Python {system.python}: written by scripts/lock_requirements.py.",
        f"# From Debian, never from pip: {given} (numpy is {system.numpy} there).",
        f"# pip install --no-deps --require-hashes --requirement requirements/{name}.txt",
    ]
    return "\n".join((*head, *(f"{item.name}=={item.version} --hash=sha256:{item.sha256}" for item in files))) + "\n"


def locks(system: System) -> list[Path]:
    """Return the files of one system."""
    names = [system.name, *([f"{system.name}-sources"] if system.sources else [])]
    return [FOLDER / f"{name}.txt" for name in names]


def read(path: Path) -> list[Locked]:
    """Return the files that a lock names.

    Raises:
        ValueError: a line is neither a comment nor one exact version with one hash.
    """
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("#") or not line:
            continue
        match = LOCKED.match(line)
        if match is None:
            raise ValueError(f"{path}:{number}: expected NAME==VERSION --hash=sha256:64 hex digits, found '{line}'")
        found.append(Locked(**match.groupdict()))
    return found


def unmet(system: System, files: list[Locked]) -> list[str]:
    """Return what the lock of a system lacks of its wishes, by name."""
    have = {item.name for item in files} | {"numpy", *system.from_debian}
    wished = {re.split(r"[<>=!~]", want, maxsplit=1)[0] for want in (*system.wants, *system.alone, *system.sources)}
    return sorted(wished - have)


def main() -> int:
    """Write the files, or check them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="look only")
    check: bool = parser.parse_args().check
    FOLDER.mkdir(exist_ok=True)
    lacking = 0
    for system in SYSTEMS:
        for name, files in ({} if check else lock(system)).items():
            (FOLDER / f"{name}.txt").write_text(render(name, system, files), encoding="utf-8")
        found = [item for path in locks(system) for item in read(path)]
        missing = unmet(system, found)
        print(f"{system.name}: {len(found)} files" + (f", lacks {missing}" if missing else ""))
        lacking += len(missing)
    return 1 if lacking else 0


if __name__ == "__main__":
    sys.exit(main())
