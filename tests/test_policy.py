"""Scripted observations: when a label starts, holds, changes and ends."""

from __future__ import annotations

from collections import defaultdict
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.contract import EMOTION_LABELS, UncertainReason
from edge_runtime.datatypes import Emotion
from edge_runtime.policy import Change, EventPolicy, Thresholds
from tests.faces import emotion, face, seen

THRESHOLDS = Thresholds(enter=0.6, exit=0.4, min_frames=3, min_time_s=0.25, hold_s=0.6)
STEP_S = 0.125

SURE = emotion("happy", 0.9)
WEAK = emotion("happy", 0.5, "low_confidence")  # between exit and enter
LOST = emotion("happy", 0.3, "low_confidence")  # below exit
SAD = emotion("sad", 0.9)


def play(policy: EventPolicy, *shown: Emotion | None, start: float = 0.0) -> list[Change]:
    """Show one face, a step after the other; None = nobody is there."""
    changes = []
    for number, one in enumerate(shown):
        faces = [] if one is None else [face(1, one)]
        changes += policy.update(seen(start + number * STEP_S, *faces))
    return changes


def told(changes: list[Change]) -> list[tuple[str, float]]:
    """What happened, and when."""
    return [(change.change_type, change.at) for change in changes]


def test_a_face_appears_once_and_is_lost_once() -> None:
    policy = EventPolicy(THRESHOLDS)

    changes = play(policy, None, LOST, LOST, LOST, None, None)

    assert told(changes) == [("face_appeared", 0.125), ("face_lost", 0.5)]
    lost = changes[1]
    assert (lost.started_at, lost.end_reason, lost.track_id) == (0.125, "lost", 1)
    assert lost.face is not None


def test_a_label_starts_after_its_frames_and_its_time() -> None:
    policy = EventPolicy(THRESHOLDS)

    changes = play(policy, SURE, SURE, SURE, SURE)

    # Three frames and 0.25 s are both reached at the third frame.
    assert told(changes) == [("face_appeared", 0.0), ("emotion_started", 0.25)]
    assert changes[1].emotion == "happy"
    assert changes[1].previous is None
    assert changes[1].started_at is None


def test_many_frames_in_a_short_time_do_not_start_a_label() -> None:
    policy = EventPolicy(THRESHOLDS)

    changes = [change for k in range(8) for change in policy.update(seen(k / 32, face(1, SURE)))]

    assert told(changes) == [("face_appeared", 0.0)]
    assert told(policy.update(seen(8 / 32, face(1, SURE)))) == [("emotion_started", 0.25)]


def test_few_frames_in_a_long_time_do_not_start_a_label() -> None:
    policy = EventPolicy(THRESHOLDS)

    changes = [change for k in range(2) for change in policy.update(seen(5.0 * k, face(1, SURE)))]

    assert told(changes) == [("face_appeared", 0.0)]
    assert told(policy.update(seen(10.0, face(1, SURE)))) == [("emotion_started", 10.0)]


def test_an_interruption_begins_the_count_again() -> None:
    changes = play(EventPolicy(THRESHOLDS), SURE, SURE, WEAK, SURE, SURE, SURE)

    assert told(changes)[1:] == [("emotion_started", 5 * STEP_S)]


@pytest.mark.parametrize("reason", get_args(UncertainReason))
def test_a_face_that_cannot_be_answered_starts_nothing(reason: UncertainReason) -> None:
    changes = play(EventPolicy(THRESHOLDS), *[emotion("happy", 0.99, reason)] * 20)

    assert told(changes) == [("face_appeared", 0.0)]


def test_support_below_enter_starts_nothing_even_without_a_reason() -> None:
    changes = play(EventPolicy(THRESHOLDS), *[emotion("happy", 0.59)] * 20)

    assert told(changes) == [("face_appeared", 0.0)]


def test_between_exit_and_enter_a_label_holds_but_none_starts() -> None:
    policy = EventPolicy(THRESHOLDS)

    changes = play(policy, SURE, SURE, SURE, *[WEAK] * 40)

    assert told(changes) == [("face_appeared", 0.0), ("emotion_started", 0.25)]


def test_without_support_a_label_ends_after_the_hold() -> None:
    policy = EventPolicy(THRESHOLDS)

    changes = play(policy, SURE, SURE, SURE, *[LOST] * 8)

    # Supported last at 0.25; 0.25 + 0.6 is reached at the step of 0.875.
    assert told(changes)[2:] == [("emotion_ended", 0.875)]
    ended = changes[2]
    assert (ended.emotion, ended.started_at, ended.end_reason) == ("happy", 0.25, "uncertain")


def test_support_within_the_hold_keeps_a_label() -> None:
    policy = EventPolicy(THRESHOLDS)

    changes = play(policy, SURE, SURE, SURE, LOST, LOST, LOST, LOST, WEAK, LOST, LOST, LOST, LOST)

    assert told(changes)[2:] == []


@pytest.mark.parametrize("reason", ["small_face", "blurred", "pose"])
def test_a_face_that_can_no_longer_be_answered_loses_its_label_after_the_hold(reason: UncertainReason) -> None:
    changes = play(EventPolicy(THRESHOLDS), SURE, SURE, SURE, *[emotion("happy", 0.99, reason)] * 8)

    assert told(changes)[2:] == [("emotion_ended", 0.875)]


def test_a_change_is_one_event_with_the_label_before() -> None:
    policy = EventPolicy(THRESHOLDS)

    changes = play(policy, SURE, SURE, SURE, SAD, SAD, SAD, SAD)

    assert told(changes)[2:] == [("emotion_changed", 0.625)]
    change = changes[2]
    assert (change.emotion, change.previous, change.started_at, change.end_reason) == ("sad", "happy", 0.25, "changed")


def test_a_flicker_changes_nothing() -> None:
    changes = play(EventPolicy(THRESHOLDS), SURE, SURE, SURE, *[SAD, SURE] * 10)

    assert told(changes) == [("face_appeared", 0.0), ("emotion_started", 0.25)]


def test_the_same_label_may_start_again_after_it_ended() -> None:
    changes = play(EventPolicy(THRESHOLDS), SURE, SURE, SURE, *[LOST] * 5, SURE, SURE, SURE)

    assert [kind for kind, _ in told(changes)[1:]] == ["emotion_started", "emotion_ended", "emotion_started"]
    assert changes[3].at == 10 * STEP_S


def test_a_lost_face_ends_its_label_first() -> None:
    changes = play(EventPolicy(THRESHOLDS), SURE, SURE, SURE, None)

    assert told(changes)[2:] == [("emotion_ended", 0.375), ("face_lost", 0.375)]
    assert changes[2].started_at == 0.25
    assert changes[3].started_at == 0.0
    assert {change.end_reason for change in changes[2:]} == {"lost"}


def test_faces_are_judged_apart() -> None:
    policy = EventPolicy(THRESHOLDS)

    changes = [
        change
        for k in range(4)
        for change in policy.update(seen(k * STEP_S, face(1, SURE), face(2, SAD), face(3, LOST)))
    ]

    started = {change.track_id: change.emotion for change in changes if change.change_type == "emotion_started"}
    assert started == {1: "happy", 2: "sad"}


@pytest.mark.parametrize("reason", ["shutdown", "paused", "lost"])
def test_closing_ends_everything_with_the_reason(reason: str) -> None:
    policy = EventPolicy(THRESHOLDS)
    for k in range(3):
        policy.update(seen(k * STEP_S, face(1, SURE), face(2, LOST)))

    changes = policy.close(1.0, reason)  # type: ignore[arg-type]

    assert [(change.change_type, change.track_id) for change in changes] == [
        ("emotion_ended", 1),
        ("face_lost", 1),
        ("face_lost", 2),
    ]
    assert {(change.at, change.end_reason) for change in changes} == {(1.0, reason)}
    assert policy.close(2.0, "shutdown") == []


emotions = st.builds(
    emotion,
    st.sampled_from(EMOTION_LABELS),
    st.floats(0, 1),
    st.sampled_from([None, None, None, *get_args(UncertainReason)]),
)
runs = st.tuples(st.integers(1, 6), st.dictionaries(st.integers(1, 3), emotions, max_size=3))
"""How many frames, and what every track shows in them."""
limits = st.builds(
    Thresholds,
    enter=st.floats(0, 1),
    exit=st.floats(0, 0.6),
    min_frames=st.integers(1, 4),
    min_time_s=st.sampled_from([0.0, 0.1, 0.25]),
    hold_s=st.sampled_from([0.0, 0.2, 0.6]),
)


@given(limits, st.lists(runs, max_size=12), st.sampled_from([0.01, 0.05, 0.3]))
def test_every_start_has_one_end_and_every_appearance_one_loss(
    thresholds: Thresholds, script: list[tuple[int, dict[int, Emotion]]], step_s: float
) -> None:
    policy, now, changes = EventPolicy(thresholds), 0.0, []

    for frames, shown in script:
        for _ in range(frames):
            now += step_s
            changes += policy.update(seen(now, *(face(track_id, one) for track_id, one in sorted(shown.items()))))
    changes += policy.close(now, "shutdown")

    by_track = defaultdict(list)
    for change in changes:
        by_track[change.track_id].append(change)
    for told_of_track in by_track.values():
        _check_grammar(told_of_track)
    assert [change.at for change in changes] == sorted(change.at for change in changes)


def _check_grammar(changes: list[Change]) -> None:
    """(appeared (started changed* ended)* lost)*, with the times and labels of each end those of its start."""
    appeared_at: float | None = None
    active: tuple[str, float] | None = None
    for change in changes:
        kind = change.change_type
        if kind == "face_appeared":
            assert appeared_at is None
            appeared_at = change.at
        elif kind == "emotion_started":
            assert appeared_at is not None
            assert active is None
            assert change.emotion is not None
            active = (change.emotion, change.at)
        elif kind == "emotion_changed":
            assert active == (change.previous, change.started_at)
            assert change.emotion not in (None, change.previous)
            active = (str(change.emotion), change.at)
        elif kind == "emotion_ended":
            assert active == (change.emotion, change.started_at)
            active = None
        else:
            assert active is None
            assert appeared_at == change.started_at
            appeared_at = None
    assert appeared_at is None
    assert active is None


def test_without_a_hold_a_steady_label_stays_and_ends_in_the_first_frame_that_does_not_support_it() -> None:
    policy = EventPolicy(Thresholds(enter=0.6, exit=0.4, min_frames=1, min_time_s=0.0, hold_s=0.0))

    changes = play(policy, SURE, SURE, SURE, WEAK, LOST)

    assert told(changes)[1:] == [("emotion_started", 0.0), ("emotion_ended", 4 * STEP_S)]
