"""Damaged bundles of every kind are refused before an interpreter sees a byte; the benchmark does it 100,000 times."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from edge_runtime.bundle import MODEL_FILE, SUMS_FILE, load_bundle
from edge_runtime.errors import ModelError
from tests.bundle_damage import DAMAGES, same_contents, zip_bomb
from tests.source_tree import ROOT
from tests.tiny_bundles import emotion_bundle

EACH = 15
WHOLE = emotion_bundle().files()
KINDS = {**DAMAGES, "zip_bomb": zip_bomb}


def loaded(path: Path) -> tuple[str, dict[str, bytes]]:
    """Return what the loader said against a bundle, or the bundle's files."""
    try:
        return "", load_bundle(path, kind="emotion").files
    except ModelError as error:
        return str(error), {}


@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_bundle_is_refused_and_named(kind: str, tmp_path: Path) -> None:
    rng = random.Random(7)  # noqa: S311
    place = "tiny.emodel" if kind.startswith("zip") else "tiny"

    for number in range(EACH if kind in DAMAGES else 1):
        folder = tmp_path / str(number)
        folder.mkdir()
        KINDS[kind](folder / place, WHOLE, rng)
        refusal, files = loaded(folder / place)
        assert str(folder / place) in refusal or same_contents(files, WHOLE), kind
        assert [path.name for path in folder.iterdir()] == [place]


def test_only_the_ends_of_lines_may_differ_in_what_is_not_damaged() -> None:
    without_end = WHOLE | {SUMS_FILE: WHOLE[SUMS_FILE].rstrip(b"\n")}
    without_line = WHOLE | {SUMS_FILE: b"".join(WHOLE[SUMS_FILE].splitlines(keepends=True)[1:])}
    other_model = WHOLE | {MODEL_FILE: b"x"}

    assert same_contents(without_end, WHOLE)
    assert not same_contents(without_line, WHOLE)
    assert not same_contents(other_model, WHOLE)


def test_a_link_to_a_pipe_does_not_hold_the_loader_up(tmp_path: Path) -> None:
    folder = emotion_bundle().write_folder(tmp_path / "tiny")
    (folder / "more.bin").symlink_to("/proc/kmsg")
    refused: list[str] = []

    def load() -> None:
        try:
            load_bundle(folder)
        except ModelError as error:
            refused.append(str(error))

    loader = threading.Thread(target=load, daemon=True)
    loader.start()
    loader.join(20.0)

    assert refused
    assert "more.bin" in refused[0]


def test_the_benchmark_counts_what_it_did() -> None:
    command = [sys.executable, "-m", "benchmarks", "corrupted_bundles", "--batch", "3", "60"]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=True)

    assert '"interpreters_loaded": 0' in done.stdout
    assert "accepted" not in done.stdout + done.stderr
