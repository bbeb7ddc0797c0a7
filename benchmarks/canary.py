"""Looks for pixels in everything the program writes and sends: `pixels found: 0`, with what was searched.

python -m benchmarks canary. Needs mosquitto. As root the hunt has mounts of its own, in which everything but the folder
that is searched is read-only: the program can write nowhere else.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from benchmarks.environment import ROOT, write
from tests.broker import Mosquitto
from tests.canary.hunt import hunt
from tests.canary.search import MAGIC

_HARMLESS: Final = ("/proc", "/sys", "/dev/pts")
"""Mounts that hold no files; /dev itself is made read-only, which its devices do not mind."""


def main(arguments: list[str] | None = None) -> int:
    """Hunt and write results/canary.json; 1 when a pixel or a core file was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inside", type=Path, metavar="FOLDER", help=argparse.SUPPRESS)
    asked = parser.parse_args(sys.argv[2:] if arguments is None else arguments)
    if asked.inside:
        print(json.dumps(hunt_inside(asked.inside)))
        return 0
    found = _hunt_in_a_process()
    pixels, cores = len(found["found"]), len(found["core_files"])
    print(f"pixels found: {pixels}; core files: {cores}")
    print(
        f"searched: {found['files']} files and {len(found['wires'])} wires, {found['bytes_searched']} bytes, for "
        f"{found['windows']} rows of 16 pixels in 8 forms and the marks of {len(MAGIC)} kinds of files"
    )
    print(f"the page's live picture, the one exception: pixels {'seen' if found['live_picture_found'] else 'MISSING'}")
    write("canary", "python -m benchmarks canary", {"pixels_found": pixels, **found})
    return 0 if not pixels and not cores and found["live_picture_found"] else 1


def _hunt_in_a_process() -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="canary-") as place:
        apart = ["unshare", "--mount", "--propagation", "private"] if _can_unshare() else []
        command = [*apart, sys.executable, "-B", "-m", "benchmarks", "canary", "--inside", place]
        environment = {**os.environ, "TMPDIR": place}
        done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, timeout=1800, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _can_unshare() -> bool:
    return os.geteuid() == 0 and shutil.which("unshare") is not None


def hunt_inside(folder: Path) -> dict[str, Any]:
    """Hunt below a folder, beside a broker of its own."""
    read_only = make_the_rest_read_only(folder) if _can_unshare() else []
    (folder / "broker").mkdir()
    broker = Mosquitto(folder / "broker")
    broker.start()
    try:
        finding = hunt(folder / "canary", broker.port)
    finally:
        broker.stop()
    return {**asdict(finding), "bytes_searched": finding.bytes_searched, "read_only_elsewhere": read_only}


def make_the_rest_read_only(folder: Path) -> list[str]:
    """Leave one folder writable in this process's own view of the file systems; say what became read-only."""
    subprocess.run(["mount", "--bind", folder, folder], check=True, timeout=30)
    made = []
    for line in Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines():
        _, place, _, options, *_ = line.split()
        writable = "rw" in options.split(",")
        if writable and place != str(folder) and not place.startswith(_HARMLESS) and place not in made:
            subprocess.run(["mount", "-o", "remount,bind,ro", place], check=True, timeout=30)
            made.append(place)
    return made


if __name__ == "__main__":
    sys.exit(main())
