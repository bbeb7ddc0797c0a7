"""Runs unknown nets in a process of their own: a broken or malicious one may end that process, never this one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, TypeAlias

from edge_runtime.bundle import Bundle
from edge_runtime.errors import BundleError

TIME_LIMIT_S: Final = 60.0
"""For one bundle. The smallest board needs about a tenth of it, most of that to start Python."""

Prove: TypeAlias = Callable[[Sequence[Path]], Mapping[Path, str]]
"""Takes bundle folders whose digests were checked; returns what is wrong with those that fail."""


def nobody_waits() -> None:
    """Nobody wants a sign of life."""


def prove(
    folders: Sequence[Path], *, time_limit_s: float = TIME_LIMIT_S, alive: Callable[[], None] = nobody_waits
) -> dict[Path, str]:
    """Let each net answer its bundle's recorded inputs in a child process.

    Args:
        folders: bundles whose digests were checked.
        time_limit_s: for each of them.
        alive: called at least once a second, so that a watchdog knows that this is work.

    Returns:
        What is wrong, for those that fail; nothing for those that pass.
    """
    problems: dict[Path, str] = {}
    waiting = list(folders)
    while waiting:
        answers, ending = _asked(waiting, time_limit_s, alive)
        problems |= {folder: answer for folder, answer in zip(waiting, answers, strict=False) if answer}
        waiting = waiting[len(answers) :]
        if waiting:  # the child ended before it answered for this one
            problems[waiting.pop(0)] = ending
    return problems


def _asked(folders: list[Path], time_limit_s: float, alive: Callable[[], None]) -> tuple[list[str], str]:
    """Return the child's answers, one for each folder it came to, and how it ended."""
    give_up_at = time.monotonic() + time_limit_s * len(folders)
    with _started(folders) as child:
        while True:
            alive()
            try:
                answers, told = child.communicate(timeout=1.0)
            except subprocess.TimeoutExpired:
                if time.monotonic() < give_up_at:
                    continue
                child.kill()
                return _lines(child.communicate()[0]), f"its self-test took longer than {time_limit_s:g} s"
            return _lines(answers), _ending(child.returncode, told)


def _started(folders: list[Path]) -> subprocess.Popen[bytes]:
    # Not `-m`, not this folder: a file that lies about must not be imported.
    program = "from edge_runtime.model_store.trial import main; main()"
    search = os.pathsep.join(str(Path(place).absolute()) for place in sys.path)
    return subprocess.Popen(  # noqa: S603  our own interpreter and program
        [sys.executable, "-c", program, *map(str, (folder.absolute() for folder in folders))],
        cwd="/",
        env={**os.environ, "PYTHONPATH": search},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def _lines(output: bytes) -> list[str]:
    return [str(json.loads(line)) for line in output.splitlines() if line.startswith(b'"')]


def _ending(code: int, told: bytes) -> str:
    if code < 0:
        return f"its net ended the self-test's process with {signal.Signals(-code).name}"
    last = (told.decode(errors="replace").strip().splitlines() or ["no word"])[-1]
    return f"the self-test ended with code {code}: {last[:300]}"


def prove_bundle(bundle: Bundle) -> None:
    """Let one bundle's net answer its recorded inputs, whether it was a folder or a zip.

    Raises:
        BundleError: it failed.
    """
    with TemporaryDirectory(prefix="emotion-edge-") as place:
        folder = Path(place, "bundle")
        folder.mkdir()
        for name, content in bundle.files.items():
            (folder / name).write_bytes(content)
        problem = prove([folder]).get(folder)
    if problem:
        raise BundleError(f"{bundle.path}: refused by its self-test: {problem.replace(str(folder), str(bundle.path))}")
