"""The record of how long stages take."""

from __future__ import annotations

import pytest

from edge_runtime.stages import MODEL_STAGES, STAGES, StageTimes


def test_a_stage_that_never_ran_has_no_runs() -> None:
    assert StageTimes().runs("detect") == ()


def test_every_run_is_recorded_once_under_its_stage() -> None:
    times = StageTimes()

    with times.measure("total"), times.measure("detect"):
        pass
    with times.measure("detect"):
        pass

    assert len(times.runs("detect")) == 2
    assert len(times.runs("total")) == 1
    assert times.runs("total")[0] >= times.runs("detect")[0] >= 0


def test_a_run_that_fails_is_recorded_too() -> None:
    times = StageTimes()

    with pytest.raises(RuntimeError, match="broken"), times.measure("emotion"):
        raise RuntimeError("broken")

    assert len(times.runs("emotion")) == 1


def test_the_record_is_bounded() -> None:
    times = StageTimes()

    for _ in range(10_001):
        with times.measure("crop"):
            pass

    assert len(times.runs("crop")) == 4_000


def test_a_cleared_record_is_empty() -> None:
    times = StageTimes()
    with times.measure("track"):
        pass

    times.clear()

    assert all(times.runs(stage) == () for stage in STAGES)


def test_model_stages_are_stages() -> None:
    assert set(MODEL_STAGES) < set(STAGES)
