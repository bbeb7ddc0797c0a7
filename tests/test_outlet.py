"""How often what is told."""

from __future__ import annotations

from typing import Literal

import msgspec
import pytest

from edge_runtime.events import EventWriter, Identity
from edge_runtime.outlet import STATE_EVERY_S, Outlet
from edge_runtime.policy import Change
from edge_runtime.testing import ManualClock, MemorySink
from tests.faces import emotion, face, seen
from tests.samples import MODEL
from tests.test_service import Camera, Run


def outlet(*sinks: MemorySink, rate_hz: float | Literal["all"] = "all") -> Outlet:
    """Make an outlet of one device."""
    return Outlet(sinks, EventWriter(Identity("kiosk-1", "fake", "boot", MODEL), ManualClock()), rate_hz)


def observed(rate_hz: float | Literal["all"], times: list[float]) -> list[float]:
    """Return the times of the observations that are sent."""
    sink, sent = MemorySink(), []
    told = outlet(sink, rate_hz=rate_hz)
    for now in times:
        sink.messages.clear()
        told.show(seen(now))
        sent += [now for message in sink.messages if message.topic == "observation"]
    return sent


def states(*observations: tuple[float, str | None]) -> list[float]:
    """Show faces by their label (None = nobody) and return the times at which the state is sent."""
    sink, sent = MemorySink(), []
    told = outlet(sink, rate_hz=0)
    for now, label in observations:
        sink.messages.clear()
        told.show(seen(now, *([] if label is None else [face(1, emotion(label))])))
        sent += [now for message in sink.messages if message.topic == "state"]
    return sent


def test_every_sink_gets_every_message() -> None:
    first, second = MemorySink(), MemorySink()

    outlet(first, second).tell([Change("face_appeared", 0.0, 1, face()), Change("face_lost", 1.0, 1, face())])

    assert [message.topic for message in first.messages] == ["event", "event"]
    assert [message.to_json() for message in first.messages] == [message.to_json() for message in second.messages]


def test_without_sinks_nothing_happens() -> None:
    told = outlet()

    told.tell([Change("face_appeared", 0.0, 1, face())])
    told.show(seen(0.0))


def test_all_means_every_processed_frame() -> None:
    times = [k / 25 for k in range(50)]

    assert observed("all", times) == times


def test_a_rate_of_zero_means_none() -> None:
    assert observed(0, [float(k) for k in range(10)]) == []


@pytest.mark.parametrize(("rate_hz", "count"), [(1.0, 10), (2.0, 20), (5.0, 50), (25.0, 250), (100.0, 250)])
def test_the_rate_is_kept_over_many_frames(rate_hz: float, count: int) -> None:
    times = [k / 25 for k in range(250)]

    assert len(observed(rate_hz, times)) == pytest.approx(count, abs=1, rel=0.01)


def test_a_rate_that_does_not_divide_the_frame_rate_is_kept_on_average() -> None:
    times = [k / 25 for k in range(2500)]

    # 10 per second of 25: every second or third frame; a new period at every frame would make it 8.3.
    assert len(observed(10.0, times)) == pytest.approx(1000, abs=2)


def test_the_first_frame_is_always_observed() -> None:
    assert observed(0.1, [1234.5, 1234.6])[0] == 1234.5


def test_after_a_gap_nothing_is_caught_up() -> None:
    assert observed(1.0, [0.0, 1.0, 9.3, 9.4, 9.9, 10.3, 10.4]) == [0.0, 1.0, 9.3, 10.3]


def test_the_state_is_told_when_it_changes() -> None:
    shown = [(0.0, None), (1.0, None), (2.0, "happy"), (3.0, "happy"), (4.0, "sad"), (5.0, None), (6.0, None)]

    assert states(*shown) == [0.0, 2.0, 4.0, 5.0]


def test_the_state_is_repeated_every_minute() -> None:
    shown: list[tuple[float, str | None]] = [(float(second), "happy") for second in range(200)]

    assert STATE_EVERY_S == 60
    assert states(*shown) == [0.0, 60.0, 120.0, 180.0]


def test_a_change_puts_the_repetition_off() -> None:
    assert states((0.0, "happy"), (50.0, "sad"), (60.0, "sad"), (109.0, "sad"), (110.0, "sad")) == [0.0, 50.0, 110.0]


def test_another_number_of_faces_is_a_change_of_state() -> None:
    sink = MemorySink()
    told = outlet(sink, rate_hz=0)

    told.show(seen(0.0, face(1)))
    told.show(seen(0.1, face(1), face(2)))
    told.show(seen(0.2, face(1), face(2)))

    assert [message.topic for message in sink.messages] == ["state", "state"]


def test_the_same_label_at_another_confidence_is_no_change_of_state() -> None:
    sink = MemorySink()
    told = outlet(sink, rate_hz=0)

    told.show(seen(0.0, face(1, emotion("happy", 0.9))))
    told.show(seen(0.1, face(1, emotion("happy", 0.7))))

    assert len(sink.messages) == 1


def test_when_the_reading_ends_a_state_with_faces_is_taken_back_once() -> None:
    sink = MemorySink()
    told = outlet(sink, rate_hz=0)
    told.show(seen(0.0, face(1, emotion("happy"))))

    told.show_nobody(0.5)
    told.show_nobody(0.6)

    assert [msgspec.json.decode(message.to_json())["faces"] for message in sink.messages] == [1, 0]


def test_a_state_without_faces_needs_no_taking_back() -> None:
    sink = MemorySink()
    told = outlet(sink, rate_hz=0)

    told.show_nobody(0.0)
    told.show(seen(0.1))
    told.show_nobody(0.2)

    assert len(sink.messages) == 1


def test_while_a_camera_is_lost_or_the_program_ended_no_state_says_that_there_is_a_face() -> None:
    run = Run(max_frames=40)

    run.over(Camera(run.pulse, [20, 100]))

    told = [
        payload
        for payload in run.payloads
        if "camera" in payload or payload["schema"].startswith("emotion-edge.state/")
    ]
    before = {status["camera"]: told[number - 1] for number, status in enumerate(told) if "camera" in status}
    assert [before[camera]["faces"] for camera in ("lost", "ended")] == [0, 0]
    assert max(payload["faces"] for payload in told if "camera" not in payload) == 1
