"""The machine's clocks, and identities that sort by time."""

from __future__ import annotations

import time
import uuid

from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.clock import SystemClock, uuid7_from
from edge_runtime.testing import ManualClock


def test_a_version_7_uuid_is_laid_out_as_the_rfc_shows() -> None:
    # RFC 9562, appendix A.6: 2022-02-22 14:22:22 EST, rand_a CC3, rand_b 18C4DC0C0C07398F.
    random = bytes.fromhex("0cc318c4dc0c0c07398f")

    assert uuid7_from(0x017F22E279B0, random) == "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"


@given(st.integers(0, 2**48 - 1), st.binary(min_size=10, max_size=10))
def test_every_version_7_uuid_is_one_and_holds_its_time(unix_ms: int, random: bytes) -> None:
    found = uuid.UUID(uuid7_from(unix_ms, random))

    assert found.version == 7
    assert found.variant == uuid.RFC_4122
    assert found.int >> 80 == unix_ms


@given(st.integers(0, 2**48 - 2), st.binary(min_size=10, max_size=10), st.binary(min_size=10, max_size=10))
def test_identities_sort_by_time(unix_ms: int, earlier: bytes, later: bytes) -> None:
    assert uuid7_from(unix_ms, earlier) < uuid7_from(unix_ms + 1, later)


def test_the_machines_clock_gives_true_times_and_fresh_identities() -> None:
    clock = SystemClock()
    before = time.time()

    drawn = [uuid.UUID(clock.uuid7()) for _ in range(100)]

    after = time.time()
    assert len(set(drawn)) == 100
    assert all(int(before * 1000) <= one.int >> 80 <= int(after * 1000) for one in drawn)
    assert uuid.UUID(clock.uuid4()).version == 4
    assert before <= clock.utc() <= time.time()


def test_durations_never_run_backwards() -> None:
    clock = SystemClock()

    read = [clock.monotonic() for _ in range(1000)]

    assert read == sorted(read)


def test_the_kernel_can_be_asked_whether_the_clock_is_set() -> None:
    assert isinstance(SystemClock().synchronized(), bool)


def test_a_manual_clock_moves_when_told_and_counts_its_identities() -> None:
    clock = ManualClock(utc=1000.0)

    first = clock.uuid7()
    clock.advance(2.5)
    second = clock.uuid7()

    assert (clock.monotonic(), clock.utc()) == (2.5, 1002.5)
    assert first < second
    assert (uuid.UUID(first).int >> 80, uuid.UUID(second).int >> 80) == (1_000_000, 1_002_500)
    assert ManualClock(utc=1000.0).uuid7() == first
