"""The page of figures says what the results say, and only that."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import clips
from edge_runtime.contract import EMOTION_LABELS
from scripts.performance_bytes import BYTES
from scripts.performance_chain import clips as clips_section
from scripts.performance_nets import detectors
from scripts.performance_table import table
from scripts.write_performance_page import HEAD, RESULTS, SECTIONS, render

ABOUT = {"cpu": "a cpu", "cores": 2, "load_1min": 0.5, "commit": "abc1234", "date": "2026-01-02"}


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Hold a copy of all results."""
    return Path(shutil.copytree(RESULTS, tmp_path / "results"))


def headings(page: str) -> list[str]:
    """Return the headings of a page, outermost left out."""
    return re.findall(r"^## (.+)$", page, re.MULTILINE)


def test_the_page_of_figures_is_up_to_date(repository: Path) -> None:
    script = repository / "scripts" / "write_performance_page.py"

    done = subprocess.run(
        [sys.executable, str(script), "--check"],
        cwd=repository,
        env={**os.environ, "PYTHONPATH": str(repository)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 0, done.stderr


def test_without_results_only_what_needs_none_is_left(tmp_path: Path) -> None:
    assert render(tmp_path) == HEAD + BYTES


@pytest.mark.parametrize("name", [name for name, _, _ in SECTIONS])
def test_a_section_without_its_file_is_left_out(results: Path, name: str) -> None:
    complete = headings(render(results))
    gone = list(results.glob(f"{name}.json"))

    for path in gone:
        path.unlink()

    assert gone
    assert len(headings(render(results))) == len(complete) - len(gone)


def test_figures_come_from_the_files(results: Path) -> None:
    path = results / "pasted_faces.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"n": 4321, "points_lost": 7.77}))

    page = render(results)

    assert "## 4321 known faces" in page
    assert "| lost on the way, percentage points | 7.77 |" in page


def test_every_row_of_the_page_has_as_many_cells_as_its_head() -> None:
    page = render(RESULTS)

    for rows in re.findall(r"(?:^\|.*\|\n)+", page, re.MULTILINE):
        assert len({line.count("|") for line in rows.splitlines()}) == 1, rows


def test_a_cell_without_a_figure_is_a_dash() -> None:
    assert table(("a", "b"), [(1, None)]) == "| a | b |\n|---|---|\n| 1 | - |\n"


def test_a_detector_that_finds_nothing_has_no_precision() -> None:
    nothing = {"n": 9, "recall": 0.0, "recall_ci95": [0.0, 0.3], "finds": 0, "precision": None, "precision_ci95": None}
    ranges = dict.fromkeys(("over_60", "from_40_to_60", "from_20_to_40"), nothing)
    row = {"detector": "blind", **ranges, "ms": 1.0, "no_face_clips": {"a": {"frames": 5, "finds": 0}}}

    text = detectors({"command": "command", "environment": ABOUT, "detectors": [row]})

    assert "| blind | 0.00 (0.00-0.30, n 9) | - (n 0) |" in text
    assert "| 0 in 5 frames |" in text


def test_the_page_tells_tracks_beyond_the_people_of_a_clip() -> None:
    row = {"frames": 10, "frames_with_listed_faces": 1.0, "tracks": 3, "extra_tracks": 2, "label_flips_per_minute": 0.0}
    told = dict.fromkeys(("frames", "answered", "right_of_answered", "neutral_frames", "neutral_uncertain"), 0)
    result = {"one": row | {"frame": {"p50_ms": 1.0, "p95_ms": 2.0, "runs": 10}}}

    text = clips_section({"command": "x --detector faces", "environment": ABOUT, "clips": result, "segments": told})

    assert "detector faces" in text
    assert "| one | 10 | 100.0 % | 3 | 2 | 0.0 | 1.0 | 2.0 |" in text


def test_the_benchmark_of_clips_counts_agreement_of_the_five_labels_alone() -> None:
    said = {EMOTION_LABELS[0]: 6, EMOTION_LABELS[1]: 2, "uncertain": 2}
    calm = {"label": "neutral", "frames": 4, "said": {"uncertain": 3, EMOTION_LABELS[0]: 1}}
    rows = {"a": {"segments": [{"label": EMOTION_LABELS[0], "frames": 10, "said": said}, calm]}}

    told = clips._all_segments(rows)  # noqa: SLF001

    assert told["answered"] == pytest.approx(0.8)
    assert told["right_of_answered"] == pytest.approx(0.75)
    assert told["neutral_uncertain"] == pytest.approx(0.75)
