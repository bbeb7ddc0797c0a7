"""`python -m tests.fuzz [--seconds S] [TARGET ...]`: look for inputs that break the rule; what fails joins the corpus.

Every target runs in a process of its own, so that one that dies is a finding and not the end.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.fuzz.engine import engine_name, fuzz
from tests.fuzz.target import CORPUS

GRACE_S = 120.0
"""Time beyond the asked seconds for imports, for the last input and for making a failing one small."""


def main(arguments: list[str]) -> int:
    """Run targets in turn; 1 when an input failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="default: all")
    parser.add_argument("--seconds", type=float, default=60.0, help="for each target (default: 60)")
    parser.add_argument("--in-this-process", type=Path, metavar="FOLDER", help=argparse.SUPPRESS)
    asked = parser.parse_args(arguments)
    known = sorted(path.name for path in CORPUS.iterdir())
    unknown = set(asked.targets) - set(known)
    if unknown:
        parser.error(f"no target {', '.join(sorted(unknown))}; there are: {', '.join(known)}")
    if asked.in_this_process:
        fuzz(asked.targets[0], asked.seconds, asked.in_this_process)
        return 0
    print(f"engine: {engine_name()}")
    return max([run(name, asked.seconds) for name in asked.targets or known])


def run(name: str, seconds: float) -> int:
    """Fuzz one target in a process of its own and keep what failed; 1 when something did."""
    with tempfile.TemporaryDirectory(prefix="fuzz-found-") as folder:
        command = [sys.executable, "-m", "tests.fuzz", name, "--seconds", str(seconds), "--in-this-process", folder]
        try:
            done = subprocess.run(
                command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=seconds + GRACE_S, check=False
            )
            said, code = done.stdout.decode(errors="replace"), done.returncode
        except subprocess.TimeoutExpired as error:
            said, code = (error.stdout or b"").decode(errors="replace"), -1
        kept = [keep(name, path) for path in sorted(Path(folder).glob("failing-*"))] if code else []
    ran = re.search(r"number_of_executed_units: *(\d+)", said)
    print(f"{name:16} {ran[1] if ran else '?':>9} inputs, {'FAILED' if code else 'ok'}", flush=True)
    if code:
        print("\n".join(line for line in said.splitlines()[-400:] if "FuzzFailure" in line or "ERROR" in line))
        print("\n".join(f"  kept {path}" for path in kept))
    return 1 if code else 0


def keep(name: str, failing: Path) -> Path:
    """Copy an input into the corpus under a name made from its content."""
    data = failing.read_bytes()
    path = CORPUS / name / f"found-{hashlib.sha256(data).hexdigest()[:12]}"
    path.write_bytes(data)
    return path


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
