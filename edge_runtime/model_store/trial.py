"""The child process of a self-test: opens unknown nets and lets them answer their recorded inputs."""

from __future__ import annotations

import json
import os
import resource
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

from edge_runtime.bundle import load_bundle
from edge_runtime.contract import KERNEL_STEPS
from edge_runtime.detectors.faces import FacesDetector
from edge_runtime.errors import EdgeRuntimeError
from edge_runtime.golden import check_golden
from edge_runtime.interpreter import open_interpreter
from edge_runtime.models import EmotionModel, KeypointModel

MEMORY_LIMIT_MB: Final = 512
"""What a net may take beyond the libraries."""

_CHECKED_BY = {"keypoints": KeypointModel, "emotion": EmotionModel, "faces": FacesDetector}
"""Each refuses a net whose shapes are not those of its kind."""


def main() -> None:
    """Print one JSON text for each bundle folder of the command line: what is wrong, empty when nothing is."""
    # What the net's libraries print must not be taken for an answer.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    bound_this_process()
    for word in sys.argv[1:]:
        answers.write(json.dumps(problem_of(Path(word))) + "\n")
        answers.flush()


def problem_of(folder: Path) -> str:
    """Say what is wrong with a bundle; empty when it answers as recorded."""
    try:
        bundle = load_bundle(folder)
        interpreter = open_interpreter(bundle.model)
        kind = bundle.manifest.kind
        _CHECKED_BY[kind](bundle, interpreter)
        check_golden(bundle, interpreter, allowed_steps=KERNEL_STEPS[kind])
    except EdgeRuntimeError as error:
        return str(error)
    return ""


def bound_this_process() -> None:
    """No core file, no file worth the name, bounded memory."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_FSIZE, 2**20)
    _lower(resource.RLIMIT_AS, pages * resource.getpagesize() + MEMORY_LIMIT_MB * 2**20)


def _lower(limit: int, most: int) -> None:
    _, hard = resource.getrlimit(limit)
    bound = most if hard == resource.RLIM_INFINITY else min(most, hard)
    # A sandbox may forbid it; it has bounds of its own then, and a good net must not fail for it.
    with suppress(OSError):
        resource.setrlimit(limit, (bound, bound))
