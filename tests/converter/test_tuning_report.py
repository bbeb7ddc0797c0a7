"""The plot of a tuning."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import pytest

from converter.__main__ import main

IN_USE = {"enter": 0.3, "exit": 0.2, "min_frames": 3, "min_time_s": 0.25, "hold_s": 0.6}


def outcome(varied: str | None, **changed: float) -> dict[str, object]:
    """One row as `emotion-edge tune` prints it."""
    return {
        "varied": varied,
        "thresholds": IN_USE | changed,
        "window_s": 0.5,
        "events_per_minute": 20.0,
        "flips_per_minute": 5.0,
        "answered_share": 0.8,
    }


def test_a_tuning_becomes_a_picture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = tmp_path / "tune.json"
    rows = [outcome(None), outcome("enter", enter=0.2), outcome("enter", enter=0.4), outcome("hold_s", hold_s=1.0)]
    told.write_text(json.dumps({"file": "a.jsonl", "frames": 300, "seconds": 12.0, "outcomes": rows}))

    code = main(["report", "--tune", str(told), "--out", str(tmp_path / "out")])

    picture = cv2.imread(str(tmp_path / "out" / "tuning.png"))
    assert code == 0
    assert capsys.readouterr().out.strip().endswith("tuning.png")
    assert picture is not None
    assert picture.shape[1] > 400


def test_another_file_is_refused_with_the_remedy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = tmp_path / "tune.json"
    told.write_text('{"outcomes": []}')

    code = main(["report", "--tune", str(told)])

    assert code == 1
    assert "expected the thresholds in use and at least one variation" in capsys.readouterr().err
