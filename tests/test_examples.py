"""Every example runs as its docstring says, in a process of its own."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest

import edge_runtime as er
from converter.recipe import load_recipe
from edge_runtime.bundle import load_bundle
from edge_runtime.contract import EMOTION_LABELS
from examples import retrain_emotions
from tests.broker import Mosquitto, broker
from tests.converter.sample_data import striped_face

__all__ = ["broker"]

TIMEOUT_S = 120.0
CLASSES = ("angry", "disgust", "sad", "happy", "surprise", "neutral")
RECIPE = """
kind = "emotion"
name = "tiny"
calibration_count = 8
[data]
outputs = ["angry", "disgust", "sad", "happy", "surprise", "neutral", "fear"]
validation_share = 0.25
[model]
stem_filters = 8
stages = [{ filters = 8, blocks = 1 }]
[training]
epochs = 3
batch_size = 16
optimizer = "adamw"
learning_rate = 5e-3
weight_decay = 0.0
average_momentum = 0.9
[augment]
rotation_deg = 3.0
scale = 0.05
shift_px = 2.0
erase = 0.0
blur = 0.0
"""


def command(repository: Path, name: str, *arguments: str) -> list[str]:
    """Return the command line of an example."""
    return [sys.executable, str(repository / "examples" / f"{name}.py"), *arguments]


def environment(repository: Path) -> dict[str, str]:
    """Return this environment with the source tree importable."""
    return {**os.environ, "PYTHONPATH": str(repository)}


def run(repository: Path, name: str, *arguments: str) -> list[str]:
    """Run an example and return the lines of its standard output."""
    done = subprocess.run(
        command(repository, name, *arguments),
        env=environment(repository),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.splitlines()


def test_there_are_five_examples_of_one_screen_and_the_readme_names_each(repository: Path) -> None:
    scripts = sorted((repository / "examples").glob("*.py"))
    readme = (repository / "examples" / "README.md").read_text(encoding="utf-8")

    lengths = {script.name: script.read_text(encoding="utf-8").count("\n") for script in scripts}

    assert len(scripts) == 5
    assert all(length <= 65 for length in lengths.values()), lengths
    assert all(f"]({script.name})" in readme for script in scripts)


def test_pictures_give_one_line_per_face(repository: Path, tmp_path: Path) -> None:
    with er.open_source("demo") as source:
        frames = source.frames()
        for name in ("a.png", "b.png"):
            cv2.imwrite(str(tmp_path / name), next(frames).pixels)
    cv2.imwrite(str(tmp_path / "c.png"), np.full((240, 320), 128, np.uint8))

    lines = [json.loads(line) for line in run(repository, "from_pictures", str(tmp_path))]

    assert [line["picture"] for line in lines] == [0, 1]
    assert {line["emotion"] for line in lines} == {"happy"}
    assert sum(lines[0]["scores"].values()) == pytest.approx(1.0, abs=0.01)


def test_live_tells_the_changes_of_the_demo(repository: Path) -> None:
    lines = run(repository, "live")

    labels = [line.split(" s  ")[1] for line in lines]
    assert labels[:2] == ["nobody", "happy"]
    assert all(label != following for label, following in itertools.pairwise(labels))


def test_an_own_detector_finds_the_face_of_the_demo(repository: Path) -> None:
    (line,) = run(repository, "own_detector")

    # The camera turns away between 5.0 and 9.6 of 12 seconds: at least half of the frames show the face.
    found, total = (int(word) for word in line.split() if word.isdigit())
    assert line.startswith("alt2: a face in ")
    assert total == 300
    assert found > total / 2


@pytest.mark.broker
def test_the_subscriber_prints_what_the_runtime_publishes(repository: Path, broker: Mosquitto) -> None:
    listening = command(repository, "mqtt_subscriber", "127.0.0.1", "--port", str(broker.port), "--count", "2")
    with subprocess.Popen(listening, env=environment(repository), stdout=subprocess.PIPE, text=True) as subscriber:
        alarm = threading.Timer(TIMEOUT_S, subscriber.kill)
        alarm.start()
        assert subscriber.stdout is not None
        ready = subscriber.stdout.readline()
        publishing = ["--source", "demo", "--max-frames", "25", "--mqtt", f"127.0.0.1:{broker.port}", "--quiet"]
        done = subprocess.run(
            [sys.executable, "-m", "edge_runtime", "run", *publishing],
            env={**environment(repository), "EMOTION_EDGE_DEVICE__ID": "kiosk-1"},
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
        printed = subscriber.stdout.read().splitlines()
        alarm.cancel()

    assert done.returncode == 0, done.stderr[-3000:]
    assert ready == "listening to emotion_edge/+/event\n"
    assert [line.split("  ")[1:] for line in printed] == [
        ["kiosk-1", "face_appeared"],
        ["kiosk-1", "emotion_started", "happy"],
    ]
    assert subscriber.returncode == 0


def test_retraining_takes_a_shipped_recipe_that_needs_no_soft_labels(monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[list[str]] = []

    def convert(step: list[str]) -> int:
        steps.append(step)
        return 3 if step[0] == "train" else 0

    monkeypatch.setattr(retrain_emotions, "emotion_convert", convert)
    code = retrain_emotions.main(["faces"])

    recipe = load_recipe(steps[-1][1])
    assert (code, recipe.kind, recipe.training.soft_weight) == (3, "emotion", 0.0)


@pytest.mark.train
def test_retraining_on_folders_of_pictures_gives_a_bundle_that_loads(repository: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    for label, name in enumerate(CLASSES):
        (tmp_path / "faces" / name).mkdir(parents=True)
        for number in range(24):
            cv2.imwrite(str(tmp_path / "faces" / name / f"{number}.png"), striped_face(label, rng))
    recipe = tmp_path / "tiny.toml"
    recipe.write_text(RECIPE, encoding="utf-8")
    folders = ["--run", str(tmp_path / "run"), "--out", str(tmp_path / "bundle"), "--recipe", str(recipe)]

    lines = run(repository, "retrain_emotions", str(tmp_path / "faces"), *folders)

    bundle = load_bundle(tmp_path / "bundle", kind="emotion")
    assert lines[-1].startswith("tiny 1.0.0: emotion-edge run ")
    assert bundle.manifest.labels == EMOTION_LABELS
