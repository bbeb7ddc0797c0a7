"""Kills a process that changes the store on entering its n-th system call that touches the disk, for every n.

As a program it goes through every instant of every change, and then through random moments:

    python -m tests.model_store.power_cuts --random 200
"""

from __future__ import annotations

import argparse
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from edge_runtime.model_store.layout import SHIPPED
from tests.model_store.stores import TINY, changer, emodel, in_use, is_whole
from tests.source_tree import ROOT

CALLS = "write,fsync,rename,renameat,renameat2,mkdir,mkdirat,unlink,unlinkat,rmdir,symlink,symlinkat,ftruncate"
STRACE = ("strace", "-qq")
QUICK = (
    "-f",
    "--seccomp-bpf",
)  # the filter in the kernel: other system calls cost nothing; strace 6.1 injects nothing then
PATIENCE_S = 120.0

CHILD = """
import os
import sys
from pathlib import Path
from tests.model_store.stores import changer
one = changer(Path(sys.argv[1]))
os.write(1, b"ready\\n")
getattr(one, sys.argv[2])(Path(sys.argv[3]) if sys.argv[2] == "install" else sys.argv[3])
"""


@dataclass(frozen=True)
class Action:
    """A change and the active bundles that may be found after it was cut short."""

    method: str
    argument: str
    before: str
    after: str


class Instant(NamedTuple):
    """The moment before a system call."""

    call: str
    number: int
    """Among the calls of this kind, from 1."""


def actions(bundles: Path) -> tuple[Action, ...]:
    """Each kind of change: the first installation, an update, another choice, a way back."""
    old, new = f"{TINY}-1.0.0", f"{TINY}-2.0.0"
    return (
        Action("install", str(emodel(bundles, "1.0.0")), "", old),
        Action("install", str(emodel(bundles, "2.0.0")), old, new),
        Action("activate", f"{TINY}@1.0.0", new, old),
        Action("roll_back", "emotion", new, old),
    )


def prepare(action: Action, root: Path, bundles: Path) -> None:
    """Make the store as it was before a change."""
    shutil.rmtree(root, ignore_errors=True)
    if action.before:
        one = changer(root)
        for version in ("1.0.0", "2.0.0"):
            one.install(emodel(bundles, version))
            if action.before == f"{TINY}-{version}":
                break


def start(action: Action, root: Path, *strace: str) -> subprocess.Popen[str]:
    """Start a process that makes the change."""
    command = [*strace, sys.executable, "-c", CHILD, str(root), action.method, action.argument]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", "OPENBLAS_NUM_THREADS": "1"}
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)


def traced(action: Action, root: Path, trace: Path) -> list[str]:
    """Make the whole change and return its process's system calls, with paths in the place of descriptors."""
    with start(action, root, *STRACE, *QUICK, "-y", "-o", str(trace), "-e", f"trace={CALLS},openat") as child:
        child.communicate(timeout=PATIENCE_S)
        assert child.returncode == 0
    lines = trace.read_text(encoding="utf-8", errors="replace").splitlines()
    return [line.partition(" ")[2].lstrip() for line in lines]  # without the process's number


def of_the_change(calls: list[str]) -> list[str]:
    """Leave out what came before the change began."""
    first = next(number for number, line in enumerate(calls) if '"ready' in line)
    return calls[first + 1 :]


def instants(calls: list[str]) -> list[Instant]:
    """Name every call of the change by its kind and its number among all calls of that kind: so strace counts."""
    named = [line.partition("(")[0] for line in calls]
    begun = len(calls) - len(of_the_change(calls))
    every = [Instant(name, named[: at + 1].count(name)) for at, name in enumerate(named)]
    return [instant for instant in every[begun:] if instant.call != "openat"]


def cut_at(instant: Instant, action: Action, root: Path) -> None:
    """Kill the change on entering a system call."""
    inject = f"inject={instant.call}:signal=KILL:when={instant.number}"
    with start(action, root, *STRACE, "-o", "/dev/null", "-e", f"trace={CALLS}", "-e", inject) as child:
        child.communicate(timeout=PATIENCE_S)
        assert child.returncode == -signal.SIGKILL, f"{action.method} ended with {child.returncode} at {instant}"


def cut_after(delay_s: float, action: Action, root: Path) -> None:
    """Kill the change so long after it began."""
    with start(action, root) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        time.sleep(delay_s)
        child.kill()


def judge(action: Action, root: Path) -> str:
    """Return what is active after a cut: the old or the new bundle, whole; and the next change works."""
    found = in_use(root)
    shipped = not action.before and found.startswith("emotion-resnet")
    assert shipped or found in {action.before, action.after}, found
    one = changer(root)
    for label in one.store.installed("emotion"):
        assert is_whole(root / "emotion" / label), label
    one.activate("emotion-resnet")
    assert list((root / "staging").iterdir()) == []
    assert one.store.choice("emotion").active == SHIPPED
    return found


def not_on_disk(calls: list[str]) -> list[str]:
    """Find what a power cut could take: contents or names that were not flushed when a rename showed them, nor later.

    What is in the staging folder at the end, that folder itself and the lock may be lost.
    """
    dirty: set[str] = set()
    problems = []
    for line in calls:
        call, names = line.partition("(")[0], re.findall(r'"([^"]*)"', line)
        opened = "".join(re.findall(r"^\w+\(\d+<([^>]*)>", line) or re.findall(r"= \d+<([^>]*)>", line))
        if call in {"write", "ftruncate"}:
            dirty.add(opened)
        elif call == "openat" and "O_CREAT" in line and not opened.endswith("/lock"):
            dirty |= {opened, str(Path(opened).parent)}
        elif call == "mkdir" and not names[0].endswith("/staging"):
            dirty.add(str(Path(names[0]).parent))
        elif call == "fsync":
            dirty.discard(opened)
        elif call == "rename":
            source, target = names
            shown = {name for name in dirty if f"{name}/".startswith(f"{source}/")} | (
                dirty & {str(Path(target).parent)}
            )
            problems += [f"{name} at {line}" for name in sorted(shown)]
            dirty.add(str(Path(target).parent))
    return problems + [f"{name} at the end" for name in sorted(dirty) if "/staging" not in name]


def main() -> None:
    """Go through every instant, then through random moments; print what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--random", type=int, default=0, metavar="N", help="also kill at N random moments of each change"
    )
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        root, bundles, trace = Path(place, "models"), Path(place, "bundles"), Path(place, "trace")
        for action in actions(bundles):
            prepare(action, root, bundles)
            every = instants(traced(action, root, trace))
            found: dict[str, int] = {}
            for cut in [*every, *[None] * arguments.random]:
                prepare(action, root, bundles)
                if cut:
                    cut_at(cut, action, root)
                else:
                    cut_after(random.uniform(0.0, 0.03), action, root)  # noqa: S311  no secret
                label = judge(action, root)
                found[label] = found.get(label, 0) + 1
            name = f"{action.method} {Path(action.argument).name}"
            sys.stdout.write(f"{name}: {len(every)} instants, {arguments.random} random moments, found {found}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
