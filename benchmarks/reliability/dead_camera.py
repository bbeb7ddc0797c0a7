"""A camera that fails in mid-run: how long until the program says so, with the settings that are shipped."""

from __future__ import annotations

import random
from typing import Final

from benchmarks.reliability.ledger import Ledger, Shown
from edge_runtime.testing import CameraFault
from tests.faults.test_camera import NOTICED_WITHIN_S, Watched

TOLD: Final[dict[CameraFault, str]] = {
    "breaks": '"camera":"lost"',
    "stalls": '"camera":"lost"',
    "freezes": '"camera":"lost"',
    "goes black": "the picture is black",
}
"""What the status says of each fault."""


def play(ledger: Ledger, count: int) -> None:
    """Let a camera fail until every fault was tried `count` times."""
    rng = random.Random(ledger.rounds)  # noqa: S311
    while ledger.rounds < count:
        for fault, text in TOLD.items():
            watched = Watched()
            watched.sink.ends_after("status", text)
            try:
                watched.over(fault, good_frames=rng.randrange(5, 50))
                ledger.spread(fault).add(watched.told_after_s("status", text))
            except AssertionError:  # not told before the run's patience was over
                ledger.counts["untold"] += 1
            finally:
                if watched.camera is not None:
                    watched.camera.release()
        ledger.end_rounds()


def shown(ledger: Ledger) -> list[Shown]:
    """Tell how long each fault took."""
    untold = ledger.counts["untold"]
    lines = [Shown("failures of a camera that were not told within 20 s", f"{untold}", "0", holds=untold == 0)]
    for fault in TOLD:
        spread = ledger.spread(fault)
        what = f"time to tell that a camera {fault}"
        lines.append(Shown(what, spread.told("s"), "<= 3 s", holds=spread.max <= NOTICED_WITHIN_S))
    return lines
