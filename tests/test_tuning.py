"""What thresholds make of a recording is counted right, and the table shows it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edge_runtime.__main__ import main
from edge_runtime.datatypes import Emotion
from edge_runtime.policy import Change, EventPolicy
from edge_runtime.recording import load_recording
from edge_runtime.replay import replayed_changes, smoothed_again
from edge_runtime.smoothing import ScoreSmoother
from edge_runtime.tuning import answered_share, flips, judged, outcomes, usual_values, varied
from tests.faces import emotion, face, seen
from tests.test_replay import THRESHOLDS, smiling, written


def flickering(path: Path) -> Path:
    """Record ten seconds: half a second happy, half a second nothing, and so on."""
    shown = [emotion("happy", 0.9 if step % 10 < 5 else 0.1) for step in range(101)]
    return written(path, *(seen(step / 10, face(1, emotion)) for step, emotion in enumerate(shown)))


def test_a_steady_label_has_two_events_and_no_flip(tmp_path: Path) -> None:
    recording = load_recording(written(tmp_path / "r.jsonl", *smiling(6.1)))

    outcome = judged(recording, THRESHOLDS, varied=None)

    # It starts after 0.1 of 6.0 seconds, and the end of the file ends it.
    assert outcome.events_per_minute == pytest.approx(20.0)
    assert outcome.flips_per_minute == 0
    assert outcome.answered_share == pytest.approx(5.9 / 6.0)


def test_a_longer_hold_takes_the_flips_away(tmp_path: Path) -> None:
    recording = load_recording(flickering(tmp_path / "r.jsonl"))

    short = judged(recording, replace(THRESHOLDS, hold_s=0.2), varied="hold_s")
    long = judged(recording, replace(THRESHOLDS, hold_s=1.0), varied="hold_s")

    # Ten starts in ten seconds; the first one is no flip.
    assert short.flips_per_minute == pytest.approx(9 * 6)
    assert long.flips_per_minute == 0
    assert long.answered_share > short.answered_share


def test_a_changed_label_is_a_flip_and_a_late_start_is_none(tmp_path: Path) -> None:
    sad = [seen(1 + step / 10, face(1, emotion("sad"))) for step in range(5)]
    pause = [seen(1.5 + step / 10, face(1, emotion("sad", 0.1))) for step in range(30)]
    recording = load_recording(written(tmp_path / "r.jsonl", *smiling(1.0), *sad, *pause, *smiling(1.0, start=4.5)))

    changes = list(replayed_changes(recording, THRESHOLDS))

    kinds = [change.change_type for change in changes if change.change_type.startswith("emotion")]
    assert kinds == ["emotion_started", "emotion_changed", "emotion_ended", "emotion_started", "emotion_ended"]
    assert flips(changes) == 1


def test_nobody_is_no_share() -> None:
    changes: list[Change] = EventPolicy(THRESHOLDS).update(seen(0.0))

    assert answered_share(changes) == 0.0


def test_enter_takes_exit_along_and_exit_stays_below_enter() -> None:
    higher = varied(THRESHOLDS, "enter", 0.9)
    above = varied(THRESHOLDS, "exit", 0.95)

    assert (higher.enter, higher.exit) == (0.9, 0.6)
    assert (above.enter, above.exit) == (0.6, 0.6)


def test_the_first_row_is_what_is_in_use_and_no_row_repeats_it(tmp_path: Path) -> None:
    recording = load_recording(written(tmp_path / "r.jsonl", *smiling(2.0)))

    found = list(outcomes(recording, THRESHOLDS, usual_values(THRESHOLDS)))

    assert found[0].varied is None
    assert found[0].thresholds == THRESHOLDS
    assert [outcome for outcome in found[1:] if (outcome.thresholds, outcome.window_s) == (THRESHOLDS, 0.0)] == []
    assert {outcome.varied for outcome in found[1:]} == {"enter", "exit", "hold_s", "min_time_s", "window_s"}


def test_another_window_gives_what_the_smoother_of_the_pipeline_gives(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    smoother, observations = ScoreSmoother(0.4), []
    for step in range(30):
        shares, supports = rng.dirichlet(np.ones(5)), rng.uniform(0, 1, 5)
        smooth, smooth_supports = smoother.update(shares, supports, step / 10)
        support = float(smooth_supports[int(smooth.argmax())])
        shown = Emotion(tuple(smooth.tolist()), support, None, tuple(shares.tolist()), tuple(supports.tolist()))
        read = face(1, shown)
        # The second time the face could not be read, so its last answer stands.
        observations += [seen(step / 10, read), seen(step / 10 + 0.05, read)]
    recording = load_recording(written(tmp_path / "r.jsonl", *observations))

    again = smoothed_again(smoothed_again(recording, 2.0), 0.4)

    assert again.header.window_s == 0.4
    assert [frame.faces for frame in again.frames] == [frame.faces for frame in recording.frames]
    assert [frame.faces for frame in smoothed_again(recording, 2.0).frames] != [frame.faces for frame in again.frames]


def test_the_command_prints_a_table_and_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(flickering(tmp_path / "r.jsonl"))

    table_code = main(["tune", path, "--hold", "0.2,1.0"])
    table = capsys.readouterr().out.splitlines()
    json_code = main(["tune", path, "--hold", "0.2,1.0", "--json"])
    found = json.loads(capsys.readouterr().out)

    assert (table_code, json_code) == (0, 0)
    assert [line.split()[0] for line in table] == ["varied", "in", "hold_s", "hold_s"]
    assert found["seconds"] == 10.0
    assert [row["varied"] for row in found["outcomes"]] == [None, "hold_s", "hold_s"]
    assert found["outcomes"][1]["flips_per_minute"] == pytest.approx(54)


def test_a_list_that_holds_no_numbers_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["tune", "r.jsonl", "--enter", "0.2,much"])

    assert end.value.code == 2
    assert "expected numbers from 0" in capsys.readouterr().err
