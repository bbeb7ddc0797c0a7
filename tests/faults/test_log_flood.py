"""A flood of events and of the program's own lines: both logs stay within their bounds."""

from __future__ import annotations

import logging
from pathlib import Path

from edge_runtime.log_limit import limit_log
from edge_runtime.settings import Log
from edge_runtime.sinks.jsonl import JsonlSink, read_lines
from edge_runtime.testing import ManualClock
from tests.samples import event_message

LINES = 20_000


def test_a_flood_of_events_fills_the_files_that_are_kept_and_no_more(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    settings = Log(file=str(path), max_mb=0.1, keep=3)
    message = event_message()

    with JsonlSink(settings, clock=ManualClock()) as sink:
        for _ in range(LINES):
            sink.publish(message)

    files = sorted(tmp_path.iterdir())
    assert len(message.to_json()) * LINES > 10 * 0.4e6  # many times what may be kept
    assert [file.name for file in files] == ["events.jsonl", "events.jsonl.1", "events.jsonl.2", "events.jsonl.3"]
    assert all(file.stat().st_size <= 0.1e6 for file in files)
    assert all(record["seq"] == 1 for file in files for record in read_lines(file))
    assert sink.dropped == {}


def test_an_hour_of_a_line_in_every_frame_leaves_a_few_lines_a_minute(tmp_path: Path) -> None:
    path, clock = tmp_path / "program.log", ManualClock()
    handler = logging.FileHandler(path)
    limit_log([handler], 10, monotonic=clock.monotonic)
    logger = logging.getLogger("flood.hour")
    logger.addHandler(handler)
    logger.propagate = False

    for frame in range(5 * 3600):  # five a second
        logger.warning("frame %d is damaged", frame)
        clock.advance(0.2)
    logger.removeHandler(handler)
    handler.close()

    lines = path.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 60 * 11
    told = sum(int(line.split()[0]) for line in lines if line.endswith("were held back"))
    passed = len([line for line in lines if line.endswith("is damaged")])
    assert 5 * 3600 - 300 <= told + passed <= 5 * 3600  # the last minute is not over
