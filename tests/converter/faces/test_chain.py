"""The chain of the faces net on a handful of drawn pictures: train, quantise, run on the device's interpreter."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("tensorflow", reason="the trainer needs TensorFlow")

from converter.__main__ import main
from converter.drafts import run_bundle
from converter.run_folder import RunFolder
from edge_runtime.detectors.faces import FacesDetector
from edge_runtime.interpreter import open_interpreter

pytestmark = [
    pytest.mark.train,
    # Keras' own way of writing weights, with numpy 2.
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]

RECIPE = """
kind = "faces"
name = "tiny-faces"
calibration_count = 8
[model]
stem_filters = 8
stem_kernel = 8
stages = [{filters = 8, blocks = 1}, {filters = 8, blocks = 1}, {filters = 8, blocks = 1}, {filters = 8, blocks = 1}]
head = "pyramid"
head_filters = 8
[training]
epochs = 1
batch_size = 4
optimizer = "adamw"
learning_rate = 1e-3
[detection]
close_ups = true
crop_px = 64
input_shape = [64, 96]
hard_no_face = 0.5
"""


def write_pictures(path: Path, *, count: int, with_faces: bool) -> Path:
    """Write an npz of drawn pictures, one bright oval in each where faces are asked for."""
    jpegs: list[NDArray[np.uint8]] = []
    for index in range(count):
        picture = np.full((80, 100), 40 + index, np.uint8)
        if with_faces:
            cv2.ellipse(picture, (50, 40), (15, 20), 0, 0, 360, (220,), -1)
        jpegs.append(cv2.imencode(".jpg", picture)[1].ravel())
    faces = count if with_faces else 0
    np.savez(
        path,
        jpeg=np.concatenate(jpegs),
        offsets=np.cumsum([0, *map(len, jpegs)]),
        boxes=np.tile(np.array([[35, 20, 30, 40]], np.float32), (faces, 1)),
        box_offsets=np.arange(count + 1) if with_faces else np.zeros(count + 1, np.int64),
        flags=np.zeros((faces, 5), np.uint8),
        group=np.array([f"{path.stem}-{index}" for index in range(count)]),
    )
    return path


def test_a_run_becomes_an_int8_net_of_any_size_that_the_device_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = tmp_path / "tiny.toml"
    recipe.write_text(RECIPE)
    positive = write_pictures(tmp_path / "pos.npz", count=8, with_faces=True)
    negative = write_pictures(tmp_path / "neg.npz", count=4, with_faces=False)
    held_out = write_pictures(tmp_path / "val.npz", count=3, with_faces=True)
    run = tmp_path / "run"

    train = ["train", str(recipe), "--data", str(positive), "--data", str(negative), "--validation", str(held_out)]
    assert main([*train, "--run", str(run)]) == 0
    capsys.readouterr()
    assert main(["quantize", "--run", str(run), "--input", "128x96", "--candidates", "1", "--json"]) == 0

    told = json.loads(capsys.readouterr().out)
    split = json.loads((run / "split.json").read_text())
    fooled = json.loads((run / "fooled.json").read_text())
    bundle = run_bundle(RunFolder(run))
    detector = FacesDetector(bundle, open_interpreter(bundle.model), min_score=0.0)
    found = detector.detect(np.full((480, 640), 90, np.uint8))
    assert told["input"] == "128x96"
    assert split == {"training_rows": list(range(12)), "validation_rows": [12, 13, 14]}
    assert len(fooled) == 4  # pictures without faces
    assert all(0 <= score <= 1 for score in fooled)
    assert bundle.manifest.input.shape == (1, 96, 128, 1)
    assert bundle.manifest.output.shape == (1, 12 * 16 + 6 * 8 + 3 * 4, 5)
    assert 0 < len(found) <= 400
    assert all(0 <= face.box.x0 < face.box.x1 <= 640 for face in found)


def test_a_size_that_the_net_cannot_have_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recipe = tmp_path / "tiny.toml"
    recipe.write_text(RECIPE)
    positive = write_pictures(tmp_path / "pos.npz", count=8, with_faces=True)
    run = tmp_path / "run"
    assert main(["train", str(recipe), "--data", str(positive), "--run", str(run)]) == 0

    code = main(["quantize", "--run", str(run), "--input", "320x240"])

    assert code == 2
    assert "expected multiples of 32, found 320x240" in capsys.readouterr().err
