"""Events wear an SD card no more than they must: commits are shared, and idle time writes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.reliability.disk_bytes import LARGEST_BYTES, written_bytes, written_bytes_of
from benchmarks.reliability.ledger import Ledger
from edge_runtime.clock import SystemClock
from edge_runtime.outbox import Outbox
from edge_runtime.settings import Outbox as Settings
from tests.samples import event_message

COMMITS = 20


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    """Return a folder on a disk whose writes the kernel counts."""
    before = written_bytes("self")
    with (tmp_path / "probe").open("wb") as probe:
        probe.write(bytes(65_536))
        probe.flush()
    if written_bytes("self") == before:
        pytest.skip("the folder for tests is in memory: the kernel counts no writes there")
    return tmp_path


@pytest.mark.parametrize("events", [1, 10])
def test_the_bytes_of_an_event_are_bounded(events: int, disk: Path) -> None:
    path = disk / "outbox.db"
    ledger = Ledger("disk-bytes", "", disk / "ledger.json")

    written = written_bytes_of(path, events, COMMITS, ledger)

    assert 0 < written < LARGEST_BYTES[events] * events * COMMITS


def test_an_outbox_that_has_nothing_to_do_writes_nothing(disk: Path) -> None:
    with Outbox(Settings(path=str(disk / "outbox.db"), commit_ms=10), clock=SystemClock()) as outbox:
        outbox.append(event_message())
        assert outbox.flush(20.0)
        before = written_bytes("self")
        for _ in range(20):
            assert outbox.flush(20.0)  # wakes its thread, which looks for work
        after = written_bytes("self")

    assert after == before
