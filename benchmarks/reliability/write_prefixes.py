"""A power cut after every single write: strace records what an outbox does, every prefix of it is built and opened.

kill -9 leaves what the kernel has; a power cut leaves less. So each prefix is opened in three forms: with all writes so
far; with those alone that an fsync had made safe; and with these and a random part of the later ones, in sectors of
512 bytes. What the outbox had called accepted by then must be there in every form. Making the file itself is taken to
be safe once it is done: file systems order that differently, and no event is accepted before the first fsync.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from benchmarks.environment import ROOT
from benchmarks.reliability.ledger import Ledger, Shown
from edge_runtime.clock import SystemClock
from edge_runtime.outbox import Outbox
from edge_runtime.settings import Outbox as Settings
from tests.samples import event_message

Kind = Literal["write", "sync", "cut", "remove", "accepted"]
FORMS: Final = ("all", "synced", "torn")
SECTOR_BYTES: Final = 512
CALLS: Final = "openat,close,pwrite64,write,fsync,fdatasync,ftruncate,unlink,unlinkat"
GROUPS: Final = (1, 3, 40)
"""Events of one commit, in turns; the last one makes the log large enough to be folded into the database."""

# A commit for each group; every second event is acknowledged, so that updates are among the writes.
WRITER: Final = """
import os, sys
from edge_runtime.clock import SystemClock
from edge_runtime.outbox import Outbox
from edge_runtime.settings import Outbox as Settings
from tests.samples import event_message
path, commits, groups = sys.argv[1], int(sys.argv[2]), [int(size) for size in sys.argv[3].split(",")]
with Outbox(Settings(path=path, commit_ms=10, send_per_s=1e6), clock=SystemClock()) as outbox:
    seq = 0
    for number in range(commits):
        for _ in range(groups[number % len(groups)]):
            seq += 1
            outbox.append(event_message(seq))
        if outbox.flush(60.0):
            os.write(1, b"accepted %d\\n" % seq)
        for key, _ in list(outbox.take(2))[:1]:
            outbox.acknowledge(key)
"""


@dataclass(frozen=True)
class Step:
    """One thing that was done to a file, or said."""

    kind: Kind
    file: str = ""
    data: bytes = b""
    offset: int = 0
    """Of a write; the new size of a cut; the event's number of an acceptance."""


@dataclass
class Disk:
    """The files of the outbox as the kernel has them, and as a power cut leaves them."""

    now: dict[str, bytearray] = field(default_factory=dict)
    safe: dict[str, bytearray] = field(default_factory=dict)
    later: dict[str, list[Step]] = field(default_factory=dict)
    """Steps since the last fsync of a file."""

    def take(self, step: Step) -> None:
        """Follow one step."""
        if step.kind == "remove":
            for files in (self.now, self.safe, self.later):
                files.pop(step.file, None)
            return
        _apply(self.now, step)
        self.later.setdefault(step.file, []).append(step)
        if step.kind == "sync":
            self.safe[step.file] = bytearray(self.now[step.file])
            self.later[step.file] = []

    def form(self, form: str, rng: random.Random) -> dict[str, bytearray]:
        """Return the files as one kind of death leaves them."""
        if form == "all":
            return self.now
        files = {name: bytearray(content) for name, content in self.safe.items()}
        files |= {name: bytearray() for name in self.now if name not in files}
        if form == "torn":
            for step in (step for steps in self.later.values() for step in steps):
                for sector in _sectors(step):
                    if rng.random() < 0.5:
                        _apply(files, sector)
        return files


def play(ledger: Ledger, count: int) -> None:
    """Record `count` commits once and try every prefix of their writes; begun anew when the count is another one."""
    if ledger.rounds == count:
        return
    with tempfile.TemporaryDirectory() as folder:
        steps = record(Path(folder), count)
    ledger.counts.clear()
    ledger.rounds = 0
    ledger.facts["steps"] = {kind: sum(step.kind == kind for step in steps) for kind in Kind.__args__}  # type: ignore[attr-defined]
    with tempfile.TemporaryDirectory(dir=_memory()) as folder:
        try_prefixes(Path(folder), steps, ledger)
    ledger.end_rounds(count)


def shown(ledger: Ledger) -> list[Shown]:
    """Tell the counts."""
    counts, steps = ledger.counts, ledger.facts["steps"]
    tried = f"{counts['tried']:,} files from {steps['write']:,} writes and {steps['sync']:,} fsyncs"
    return [
        Shown(
            "accepted events missing after a power cut behind any write",
            f"{counts['lost']}; {tried}",
            "0",
            holds=counts["lost"] == 0 and counts["tried"] > 0,
        ),
        Shown(
            "files that a power cut damaged",
            f"{counts['damaged']} of {counts['tried']:,}",
            "0",
            holds=not counts["damaged"],
        ),
    ]


def record(folder: Path, commits: int) -> list[Step]:
    """Run the writer below strace; return what it did to its files and said, in order."""
    path, trace = folder / "outbox.db", folder / "trace"
    tracer = [
        "strace",
        "-f",
        "-qq",
        "-xx",
        "-s",
        "1000000",
        "-e",
        f"trace={CALLS}",
        "-e",
        "signal=none",
        "-o",
        str(trace),
    ]
    writer = [sys.executable, "-c", WRITER, str(path), str(commits), ",".join(map(str, GROUPS))]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([*tracer, *writer], cwd=ROOT, env=environment, check=True, timeout=1800, stdout=subprocess.DEVNULL)
    with trace.open(encoding="ascii") as lines:
        return list(steps_of(lines, path.name))


def steps_of(lines: Iterator[str], name: str) -> Iterator[Step]:
    """Read strace's lines: calls that worked on the database `name` and its companions, and words on descriptor 1."""
    files: dict[int, str] = {}
    begun: dict[str, str] = {}
    for line in lines:
        process, _, call = line.partition(" ")
        call = call.strip()
        if call.endswith("<unfinished ...>"):
            begun[process] = call.removesuffix("<unfinished ...>")
            continue
        if call.startswith("<... "):
            call = begun.pop(process) + call.partition("resumed>")[2]
        found = re.fullmatch(r"(\w+)\((.*)\)\s+= (-?\d+).*", call)
        if found is None or int(found[3]) < 0:
            continue
        yield from _step(found[1], found[2], int(found[3]), files, name)


def _step(call: str, arguments: str, result: int, files: dict[int, str], name: str) -> Iterator[Step]:
    texts = [bytes.fromhex(text.replace("\\x", "")) for text in re.findall(r'"((?:\\x[0-9a-f]{2})*)"', arguments)]
    first = arguments.partition(",")[0]
    if call == "openat":
        file = Path(os.fsdecode(texts[0])).name
        files.pop(result, None)
        if file in {name, f"{name}-wal", f"{name}-journal"}:
            files[result] = file
        return
    if call in {"unlink", "unlinkat"}:
        yield Step("remove", Path(os.fsdecode(texts[0])).name)
        return
    descriptor = int(first)
    if call == "write" and descriptor == 1 and texts[0].startswith(b"accepted "):
        yield Step("accepted", offset=int(texts[0].split()[1]))
    elif descriptor not in files:
        return
    elif call == "close":
        del files[descriptor]
    elif call == "pwrite64":
        yield Step("write", files[descriptor], texts[0][:result], int(arguments.rpartition(", ")[2]))
    elif call in {"fsync", "fdatasync"}:
        yield Step("sync", files[descriptor])
    elif call == "ftruncate":
        yield Step("cut", files[descriptor], offset=int(arguments.rpartition(", ")[2]))
    else:
        raise SystemExit(f"strace: {call} on {files[descriptor]} is not understood; add it to this benchmark")


def try_prefixes(folder: Path, steps: list[Step], ledger: Ledger, forms: Sequence[str] = FORMS) -> None:
    """Open the files of every prefix of `steps` in some forms; counts tried, lost and damaged."""
    rng = random.Random(11)  # noqa: S311
    disk, accepted = Disk(), dict[int, bytes]()
    for step in steps:
        if step.kind == "accepted":
            accepted |= {seq: event_message(seq).to_json() for seq in range(len(accepted) + 1, step.offset + 1)}
            continue
        disk.take(step)
        for form in forms:
            _try(folder, disk.form(form, rng), accepted, ledger)
            ledger.counts["tried"] += 1


def _try(folder: Path, files: dict[str, bytearray], accepted: dict[int, bytes], ledger: Ledger) -> None:
    """Open one state of the files with the product; compare its rows with what was accepted."""
    for old in folder.iterdir():
        old.unlink()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    path = folder / "outbox.db"
    with Outbox(Settings(path=str(path), send_per_s=1e6), clock=SystemClock()) as outbox:
        trouble = outbox.problem is not None or bool(outbox.dropped)
    with ExitStack() as stack:
        database = sqlite3.connect(path)
        stack.callback(database.close)
        sound = database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        rows = dict(database.execute("SELECT seq, payload FROM outbox"))
    ledger.counts["damaged"] += trouble or not sound or list(rows) != list(range(1, len(rows) + 1))
    ledger.counts["lost"] += sum(rows.get(seq) != payload for seq, payload in accepted.items())


def _apply(files: dict[str, bytearray], step: Step) -> None:
    content = files.setdefault(step.file, bytearray())
    if step.kind == "cut":
        del content[step.offset :]
        content.extend(bytes(step.offset - len(content)))
    elif step.kind == "write":
        content.extend(bytes(max(0, step.offset - len(content))))
        content[step.offset : step.offset + len(step.data)] = step.data


def _sectors(step: Step) -> Iterator[Step]:
    """Cut a write into what a disk writes at once."""
    if step.kind != "write":
        yield step
        return
    begin = 0
    while begin < len(step.data):
        end = begin + SECTOR_BYTES - (step.offset + begin) % SECTOR_BYTES
        yield Step("write", step.file, step.data[begin:end], step.offset + begin)
        begin = end


def _memory() -> str | None:
    """Return a folder in memory if there is one: thousands of files are written, and their fsyncs prove nothing."""
    return "/dev/shm" if Path("/dev/shm").is_dir() and shutil.disk_usage("/dev/shm").free > 2**28 else None  # noqa: S108
