from __future__ import annotations

import io
import subprocess
import sys

import msgspec
import pytest

from edge_runtime.payloads import OutMessage
from edge_runtime.settings import Console
from edge_runtime.sinks.console import ConsoleSink, event_line
from tests.samples import event, events, messages, observation
from tests.source_tree import ROOT


def test_a_person_reads_one_line_an_event() -> None:
    lines = [event_line(msgspec.json.encode(found)) for found in events()]

    assert lines == [
        "  12.480 s  face 3  appeared",
        "  12.480 s  face 3  surprise started  (0.91)",
        "  12.480 s  face 3  surprise changed to happy after 2.5 s  (0.91)",
        "  12.480 s  face 3  happy ended after 2.5 s  (lost)",
        "  12.480 s  face 3  lost after 2.5 s",
        "  12.480 s  system  camera:0 gone, retry in 1.0 s",
    ]


def test_times_count_from_the_start_of_a_live_source() -> None:
    line = event_line(msgspec.json.encode(event("face_appeared", monotonic_ns=86_400_500_000_000)), origin_s=86_400.0)

    assert line == "   0.500 s  face 3  appeared"


def test_text_leaves_observations_status_and_state_out() -> None:
    stream = io.StringIO()

    with ConsoleSink(Console(format="text"), stream=stream) as sink:
        for message in messages():
            sink.publish(message)

    assert len(stream.getvalue().splitlines()) == len(events())


def test_json_prints_the_payloads_themselves() -> None:
    stream = io.StringIO()
    sent = list(messages())

    with ConsoleSink(Console(format="json"), stream=stream) as sink:
        for message in sent:
            sink.publish(message)

    assert stream.getvalue().encode() == b"".join(message.to_json() + b"\n" for message in sent)


def test_every_line_is_flushed() -> None:
    buffer = io.BytesIO()
    stream = io.TextIOWrapper(buffer)

    with ConsoleSink(Console(), stream=stream) as sink:
        sink.publish(OutMessage("event", event()))

        assert buffer.getvalue().endswith(b"(0.91)\n")


def test_a_closed_stream_is_counted_and_told_once(caplog: pytest.LogCaptureFixture) -> None:
    stream = io.StringIO()

    with ConsoleSink(Console(), stream=stream) as sink:
        stream.close()
        sink.publish(OutMessage("event", event()))
        sink.publish(OutMessage("event", event()))

        assert sink.dropped == {"write": 2}
        assert sink.problem is not None
    assert [record.getMessage() for record in caplog.records] == [
        "console: cannot write (I/O operation on closed file), events are not printed while it is so"
    ]


@pytest.mark.skipif(sys.platform == "win32", reason="needs a shell with pipes")
def test_a_reader_that_leaves_ends_the_printing_quietly() -> None:
    program = (
        "from edge_runtime.settings import Console\n"
        "from edge_runtime.sinks.console import ConsoleSink\n"
        "from tests.samples import event_message\n"
        "import sys\n"
        "with ConsoleSink(Console(format='json')) as sink:\n"
        "    while not sink.closed:\n"
        "        sink.publish(event_message())\n"
        "    sink.publish(event_message())\n"
        "    sys.exit(7 if sink.dropped['closed'] == 2 else 1)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as writer:
        assert writer.stdout is not None
        assert writer.stderr is not None
        first = writer.stdout.readline()
        writer.stdout.close()
        code = writer.wait(timeout=30)
        complaints = writer.stderr.read()

    assert msgspec.json.decode(first)["event_type"] == "emotion_started"
    assert (code, complaints) == (7, b"")


def test_an_observation_as_json_has_fifteen_points() -> None:
    stream = io.StringIO()

    with ConsoleSink(Console(format="json"), stream=stream) as sink:
        sink.publish(OutMessage("observation", observation()))

    assert len(msgspec.json.decode(stream.getvalue())["faces"][0]["face"]["keypoints"]) == 15
