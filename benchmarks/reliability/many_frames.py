"""Many frames in one run of the whole program, as fast as the machine can: does its memory stand still?

Every processed frame gives an observation. The outbox commits as often as it can, so that an event costs the disk what
it costs alone. The run cannot be divided: one that is interrupted is begun anew.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import cv2

from benchmarks.reliability.ledger import Ledger, Shown
from benchmarks.reliability.program import CLIP_SIZE, place, running
from benchmarks.reliability.watching import told, watch
from edge_runtime.sources.demo import Demo


def play(ledger: Ledger, count: int) -> None:
    """Process `count` frames in one run and watch it."""
    if ledger.rounds == count:
        return
    ledger.rounds = 0
    with tempfile.TemporaryDirectory() as folder, place(Path(folder) / "place", settings="") as where:
        pictures = where.folder / "pictures"
        link_pictures(pictures, count)
        with running(where, "--quiet", "--source", str(pictures)) as program:
            watch(where, program, count, ledger)
    ledger.end_rounds(count)


def shown(ledger: Ledger) -> list[Shown]:
    """Tell what was seen."""
    return told(ledger, "the whole program")


def link_pictures(folder: Path, count: int) -> None:
    """Make a folder of `count` pictures out of the demo's 300, each of them a link to one of these."""
    folder.mkdir()
    originals = folder.with_name("originals")
    originals.mkdir()
    with Demo() as demo:
        for frame in demo.frames():
            pixels = cv2.resize(frame.pixels, CLIP_SIZE, interpolation=cv2.INTER_AREA)
            cv2.imwrite(str(originals / f"{frame.index}.jpg"), pixels)
    total = len(list(originals.iterdir()))
    for index in range(count):
        os.link(originals / f"{index % total}.jpg", folder / f"{index:07}.jpg")
