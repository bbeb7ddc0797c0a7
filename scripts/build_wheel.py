"""Build the project's wheel from a clean copy of the sources: `python -m scripts.build_wheel [--out dist]`.

Pip builds in place, and what an earlier build left there would get in. The time of the commit is the time of every
file, so the same commit gives the same bytes.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
SOURCES: Final = ("setup.py", "pyproject.toml", "README.md", "LICENSE", "edge_runtime", "converter", "firmware_config")
"""What a wheel is made of."""

EARLIEST: Final = 315532800
"""1980: a zip file knows no earlier time. For a source tree without git."""


def commit_time() -> int:
    """Return the time of the last commit, seconds since 1970."""
    done = subprocess.run(["git", "log", "-1", "--format=%ct"], cwd=ROOT, capture_output=True, text=True, check=False)
    return int(done.stdout) if done.returncode == 0 else EARLIEST


def build_wheel(out: Path) -> Path:
    """Build the wheel with the setuptools of this environment; nothing is downloaded.

    Args:
        out: folder; made when it is not there.

    Raises:
        subprocess.CalledProcessError: pip failed and has said why.
    """
    with tempfile.TemporaryDirectory() as folder:
        copy, wheels = Path(folder, "source"), Path(folder, "wheels")
        for name in SOURCES:
            source, target = ROOT / name, copy / name
            copy.mkdir(exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, target)
        command = [sys.executable, "-m", "pip", "wheel", "-qq", "--no-deps", "--no-build-isolation"]
        environment = {**os.environ, "SOURCE_DATE_EPOCH": str(commit_time())}
        subprocess.run([*command, "--wheel-dir", str(wheels), str(copy)], env=environment, check=True, timeout=600)
        out.mkdir(parents=True, exist_ok=True)
        return Path(shutil.copy(next(wheels.glob("*.whl")), out))


def main() -> None:
    """Build it and print its path."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="folder (default dist)")
    print(build_wheel(parser.parse_args().out))


if __name__ == "__main__":
    main()
