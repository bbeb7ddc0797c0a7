"""A service whose disk is full: it says so in its status, goes on, and says so when the disk is well again."""

from __future__ import annotations

from edge_runtime.audience import Nobody
from edge_runtime.config import load_config
from edge_runtime.datatypes import Frame, Observation
from edge_runtime.payloads import Status
from edge_runtime.service import Service
from edge_runtime.settings import Log
from edge_runtime.sinks.jsonl import JsonlSink
from edge_runtime.surroundings import Surroundings
from edge_runtime.testing import FakeSource, ManualClock, MemorySink
from tests.faults.conftest import SmallDisk
from tests.scene import DiscDetector, picture, pipeline
from tests.test_config import NOTHING

HERE = (100.0, 60.0, 1.0)
CONFIG = load_config(NOTHING, overrides={"observations.rate_hz": "all"})


class Story(Nobody):
    """Fills the disk after some frames, and frees it some seconds later; a frame takes a second."""

    def __init__(self, disk: SmallDisk, clock: ManualClock, *, full_at: int, free_at: int) -> None:
        self._disk, self._clock, self._full_at, self._free_at = disk, clock, full_at, free_at

    def show(self, frame: Frame, seen: Observation) -> None:
        del seen
        self._clock.advance(1.0)
        if frame.index == self._full_at:
            self._disk.fill()
        elif frame.index == self._free_at:
            self._disk.free()


def statuses(sink: MemorySink) -> list[tuple[str, tuple[str, ...]]]:
    payloads = [getattr(message, "payload", None) for message in sink.messages]
    return [(payload.state, payload.reasons) for payload in payloads if isinstance(payload, Status)]


def test_a_log_on_a_full_disk_degrades_the_status_until_there_is_room(small_disk: SmallDisk) -> None:
    clock, told = ManualClock(), MemorySink()
    story = Story(small_disk, clock, full_at=5, free_at=25)
    path = small_disk.folder / "events.jsonl"
    frames = FakeSource([picture(HERE)] * 60)

    with JsonlSink(Log(file=str(path)), clock=clock) as log:
        around = Surroundings(clock=clock, audience=story)
        Service(CONFIG, pipeline(DiscDetector()), frames, [log, told], around).run()

    assert statuses(told) == [
        ("starting", ()),
        ("running", ()),
        ("degraded", ("log: No space left on device",)),
        ("running", ()),
        ("stopping", ()),
    ]
    assert not log.dropped  # what did not fit waited in memory
