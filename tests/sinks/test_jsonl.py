from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from edge_runtime.errors import SinkError
from edge_runtime.payloads import OutMessage, rfc3339
from edge_runtime.settings import Log
from edge_runtime.sinks.jsonl import JsonlSink, read_lines
from edge_runtime.testing import ManualClock
from tests.samples import event, event_message, messages

LINE_BYTES = len(event_message().to_json()) + 1


def seqs(path: Path) -> list[int]:
    """Return the sequence numbers of the events in a log file."""
    return [record["seq"] for record in read_lines(path)]


def test_every_message_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "events.jsonl"
    sent = list(messages())

    with JsonlSink(Log(file=str(path)), clock=ManualClock()) as sink:
        for message in sent:
            sink.publish(message)

    assert path.read_bytes() == b"".join(message.to_json() + b"\n" for message in sent)


def test_a_second_start_appends(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"

    for seq in (1, 2):
        with JsonlSink(Log(file=str(path)), clock=ManualClock()) as sink:
            sink.publish(event_message(seq))

    assert seqs(path) == [1, 2]


def test_the_file_is_rotated_by_size_and_old_ones_are_removed(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    two_lines_mb = 2.5 * LINE_BYTES / 1e6

    with JsonlSink(Log(file=str(path), max_mb=two_lines_mb, keep=2), clock=ManualClock()) as sink:
        for seq in range(1, 10):
            sink.publish(event_message(seq))

    assert seqs(path) == [9]
    assert seqs(tmp_path / "events.jsonl.1") == [7, 8]
    assert seqs(tmp_path / "events.jsonl.2") == [5, 6]
    assert len(list(tmp_path.iterdir())) == 3


def test_a_rotation_costs_what_there_is_and_not_what_may_be_kept(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    began_at = time.monotonic()

    with JsonlSink(Log(file=str(path), max_mb=1.5 * LINE_BYTES / 1e6, keep=10**9), clock=ManualClock()) as sink:
        for seq in range(1, 5):
            sink.publish(event_message(seq))

    assert time.monotonic() - began_at < 5.0
    assert [seqs(path.with_name(f"events.jsonl{end}")) for end in ("", ".1", ".2", ".3")] == [[4], [3], [2], [1]]


def test_the_file_is_rotated_by_running_time(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    clock = ManualClock()

    with JsonlSink(Log(file=str(path), max_age_h=1.0), clock=clock) as sink:
        clock.advance(10 * 3600.0)  # an empty file does not age
        sink.publish(event_message(1))
        clock.advance(3599.0)
        sink.publish(event_message(2))
        clock.advance(1.0)
        sink.publish(event_message(3))

    assert seqs(tmp_path / "events.jsonl.1") == [1, 2]
    assert seqs(path) == [3]


@pytest.mark.parametrize(
    ("age_s", "clock_is_right", "left"),
    [(3500.0, True, [1, 2]), (3700.0, True, [2]), (-500.0, True, [1, 2]), (3700.0, False, [1, 2])],
)
def test_a_file_that_is_opened_again_is_as_old_as_its_first_line(
    tmp_path: Path,
    age_s: float,
    clock_is_right: bool,  # noqa: FBT001  a parameter of the test
    left: list[int],
) -> None:
    path = tmp_path / "events.jsonl"
    clock = ManualClock()
    clock.is_synchronized = clock_is_right
    first = OutMessage("event", event("system", seq=1, time=rfc3339(clock.utc() - age_s)))
    path.write_bytes(first.to_json() + b"\n")

    with JsonlSink(Log(file=str(path), max_age_h=1.0), clock=clock) as sink:
        sink.publish(event_message(2))

    assert seqs(path) == left


def test_a_first_line_without_a_time_does_not_age(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(b'{"seq": 1}\n')

    with JsonlSink(Log(file=str(path), max_age_h=1.0), clock=ManualClock()) as sink:
        sink.publish(event_message(2))

    assert seqs(path) == [1, 2]


def test_without_kept_files_a_rotation_begins_anew(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"

    with JsonlSink(Log(file=str(path), max_mb=1.5 * LINE_BYTES / 1e6, keep=0), clock=ManualClock()) as sink:
        for seq in (1, 2, 3):
            sink.publish(event_message(seq))

    assert [entry.name for entry in tmp_path.iterdir()] == ["events.jsonl"]
    assert seqs(path) == [3]


@pytest.mark.parametrize("torn_bytes", [1, 2, LINE_BYTES // 2, LINE_BYTES - 2, LINE_BYTES - 1])
def test_a_torn_last_line_is_never_glued_to_the_next_record(tmp_path: Path, torn_bytes: int) -> None:
    path = tmp_path / "events.jsonl"
    first, second = (event_message(seq).to_json() + b"\n" for seq in (1, 2))
    path.write_bytes(first + second[:torn_bytes])

    with JsonlSink(Log(file=str(path)), clock=ManualClock()) as sink:
        sink.publish(event_message(3))

    complete = torn_bytes == LINE_BYTES - 1  # only the line break was missing: the record is whole
    assert seqs(path) == ([1, 2, 3] if complete else [1, 3])


def test_a_file_that_was_moved_away_is_begun_again(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"

    with JsonlSink(Log(file=str(path)), clock=ManualClock()) as sink:
        sink.publish(event_message(1))
        path.rename(tmp_path / "taken.jsonl")
        sink.publish(event_message(2))

    assert seqs(tmp_path / "taken.jsonl") == [1]
    assert seqs(path) == [2]


@pytest.mark.parametrize("file", ["", "file/events.jsonl"])
def test_a_path_that_can_never_be_written_is_refused_with_a_remedy(tmp_path: Path, file: str) -> None:
    (tmp_path / "file").touch()

    with (
        pytest.raises(SinkError, match=r"cannot write the event log \(.+\); give log\.file"),
        JsonlSink(Log(file=str(tmp_path / file)), clock=ManualClock()),
    ):
        pass


def test_the_log_is_not_readable_for_everybody(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    before = os.umask(0)

    try:
        with JsonlSink(Log(file=str(path)), clock=ManualClock()):
            pass
    finally:
        os.umask(before)

    assert path.stat().st_mode & 0o777 == 0o640
