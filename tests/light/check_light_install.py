"""Check an installation of the base dependencies alone: the commands answer, and nothing heavy came along.

Run it with the interpreter of that environment, which holds neither pytest nor this source tree:

    .venv-light/bin/python tests/light/check_light_install.py
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

MAX_SIZE_MB = 320
"""What a small SD card can spare; pip and setuptools, which a device may remove, are not counted."""

INSTALLERS = ("pip", "setuptools", "pkg_resources", "_distutils_hack", "wheel")
NEVER_INSTALLED = ("tensorflow", "keras", "torch", "matplotlib", "scipy", "skimage", "sklearn", "rich", "pydantic")
HELP = (["emotion-edge", "--help"], ["emotion-convert", "--help"], ["emotion-firmware", "--help"])


def run(command: list[str]) -> str:
    """Run a command of this environment in an empty folder, where no source tree can stand in for the installation.

    Returns:
        Its standard output.

    Raises:
        SystemExit: it failed; the message holds what it wrote.
    """
    program = Path(sys.executable).with_name(command[0])
    with tempfile.TemporaryDirectory() as empty:
        done = subprocess.run(
            [program, *command[1:]], cwd=empty, capture_output=True, text=True, timeout=60, check=False
        )
    if done.returncode:
        sys.exit(f"FAILED {' '.join(command)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def chain_answers() -> bool:
    """Run the shipped nets and the default detector over an empty picture, as a device would."""
    with tempfile.TemporaryDirectory() as folder:
        pictures, log = Path(folder, "pictures"), Path(folder, "events.jsonl")
        pictures.mkdir()
        header = b"P5 320 240 255\n"
        (pictures / "empty.pgm").write_bytes(header + bytes([128]) * (320 * 240))
        run(["emotion-edge", "run", "--source", str(pictures), "--log-file", str(log)])
        lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    return [line["faces"] for line in lines if line["schema"].startswith("emotion-edge.observation/")] == [[]]


def installed_mb() -> float:
    """Return the size of the installed packages with their compiled files, without pip and setuptools, in MB."""
    root = Path(sysconfig.get_path("purelib"))
    counted = [path for path in root.iterdir() if not path.name.startswith(INSTALLERS)]
    found = [path for top in counted for path in (top, *top.rglob("*")) if path.is_file()]
    return sum(path.stat().st_blocks * 512 for path in found) / 2**20


def problems() -> Iterator[str]:
    """Yield what is wrong with this environment."""
    for name in NEVER_INSTALLED:
        if importlib.util.find_spec(name) is not None:
            yield f"{name} is installed; the base dependencies must not bring it"
    size_mb = installed_mb()
    if size_mb > MAX_SIZE_MB:
        yield f"{size_mb:.0f} MB installed, at most {MAX_SIZE_MB} MB"
    for package in ("edge_runtime", "converter", "firmware_config"):
        if not (files(package) / "py.typed").is_file():
            yield f"{package}: py.typed is not in the wheel"
    for folder in ("edge_runtime/assets", "edge_runtime/schemas", "converter/recipes", "firmware_config/profiles"):
        package, name = folder.split("/")
        if not (files(package) / name).is_dir():
            yield f"{folder}: not in the wheel"
    if not chain_answers():
        yield "`emotion-edge run` over one empty picture does not log exactly one observation without faces"
    if version("emotion-edge") not in run(["emotion-edge", "version"]):
        yield f"`emotion-edge version` does not print {version('emotion-edge')}"


def main() -> None:
    """Print what was checked, or every problem and exit 1."""
    for command in HELP:
        if "usage" not in run(command).lower():
            sys.exit(f"FAILED {' '.join(command)}: no usage in its output")
    run(["python", "-c", "import edge_runtime, edge_runtime.contract, edge_runtime.errors"])
    found = list(problems())
    if found:
        sys.exit("\n".join(f"FAILED {line}" for line in found))
    sys.stdout.write(f"light install: commands, package data and chain work, {installed_mb():.0f} MB installed\n")


if __name__ == "__main__":
    main()
