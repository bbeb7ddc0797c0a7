"""Every whole command of the pages runs, in a folder that holds the files the pages speak of.

A test machine has no camera: `camera` and the default source become the demo, and endless commands get an end. What
takes long is tested elsewhere: training, quantising and exporting by tests/converter, `make` by the CI itself.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import pytest

from edge_runtime.bundle import builtin_bundle_path
from edge_runtime.sources.demo import Demo
from tests.docs.test_pages import PAGES, whole_commands
from tests.source_tree import ROOT
from tests.tiny_bundles import emotion_bundle

PATIENCE_S = 60.0
MODULES = {"emotion-edge": "edge_runtime", "emotion-convert": "converter", "emotion-firmware": "firmware_config"}
LONG = {"train", "soften", "quantize", "export", "parity", "evaluate", "data"}
"""Verbs of `emotion-convert` that need trained nets or whole data sets."""

ENDS = {
    "run": ["--source", "demo", "--max-frames", "20"],
    "record": ["--source", "demo", "--max-frames", "20"],
    "bench": ["--source", "demo", "--frames", "20"],
    "check": ["--source", "demo"],
    "selftest": ["--source", "demo", "--seconds", "0.1"],
}
"""Added to verbs of `emotion-edge`; argparse takes the last of a flag that stands twice."""


def commands() -> list[str]:
    """Return each command once, recordings before what reads them."""
    found = {" ".join(command) for page in PAGES for command in whole_commands(page.read_text(encoding="utf-8"))}
    runnable = [command for command in found if command.split()[0] in MODULES and not is_long(command)]
    return sorted(runnable, key=lambda command: (command.split()[1] != "record", command))


def is_long(command: str) -> bool:
    """Whether a command is tested elsewhere."""
    program, verb = command.split()[:2]
    return program == "emotion-convert" and verb in LONG


def ended(command: str) -> list[str]:
    """Give a command an end and a source that every machine has; a clip that is named stays, and /tmp is the folder."""
    program, verb, *rest = command.split()
    added = ENDS.get(verb, []) if program == "emotion-edge" else []
    if "clip.mp4" in rest and added[:1] == ["--source"]:
        added = added[2:]
    here = ["0" if word == "8080" else word.removeprefix("/tmp/") for word in rest]  # noqa: S108  only taken away
    return ["-m", MODULES[program], verb, *here, *added]


OWN_STORE = {"EMOTION_EDGE_MODELS__STORE": "models"}
"""For the verb `model`: a store in the folder, whose models no other command is to use."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Hold the files that the pages speak of."""
    path = tmp_path_factory.mktemp("pages")
    write_clip(path / "clip.mp4")
    (path / "mine.toml").write_text("[policy]\nhold_s = 1.0\n", encoding="utf-8")
    shutil.copytree(builtin_bundle_path("emotion"), path / "my_bundle")
    for kind in ("emotion", "keypoints", "faces"):
        shutil.copytree(builtin_bundle_path(kind), path / kind)
    shutil.copytree(builtin_bundle_path("emotion"), path / "compiled" / "emotion")
    emotion_bundle(name="emotion-resnet", version="1.1.0").write_zip(path / "emotion-resnet-1.1.0.emodel")
    run(["-m", "edge_runtime", "model", "install", "emotion-resnet-1.1.0.emodel"], path)
    run(["-m", "edge_runtime", "record", "--source", "demo", "--max-frames", "60", "seen.jsonl"], path)
    told = run(["-m", "edge_runtime", "tune", "seen.jsonl", "--json"], path)
    (path / "tune.json").write_text(told.stdout, encoding="utf-8")
    return path


def run(arguments: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run Python in a folder, with this source tree as the installed one; it must end well.

    `emotion-firmware check` rightly finds fault with a machine that is not the board it was asked for, and
    `emotion-convert edgetpu --out` with one that has no compiler for the Edge TPU.
    """
    well = {0, 1} if arguments[1] == "firmware_config" else {0}
    if "edgetpu" in arguments and shutil.which("edgetpu_compiler") is None:
        well = {0, 5}
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **(OWN_STORE if "model" in arguments else {})},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode in well, f"{done.stdout}\n{done.stderr}"
    return done


def write_clip(path: Path) -> None:
    """Write two seconds of the demo as a video file."""
    with Demo() as demo:
        pictures = [frame.pixels for frame, _ in zip(demo.frames(), range(50), strict=False)]
    height, width = pictures[0].shape
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 25.0, (width, height), isColor=False)
    for picture in pictures:
        writer.write(picture)
    writer.release()


def test_there_are_commands_to_run() -> None:
    assert len(commands()) >= 15


@pytest.mark.parametrize("command", commands())
def test_a_command_of_the_pages_runs(command: str, folder: Path) -> None:
    done = run(ended(command), folder)

    assert "Traceback" not in done.stderr
