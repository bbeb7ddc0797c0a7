"""The whole program on a stand-in for the Edge TPU: a device that is lost costs a moment, no frame and no event."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import msgspec
import pytest

from edge_runtime.__main__ import main
from edge_runtime.bundle import COMPILED_MARK, EDGETPU_FILE, MODEL_FILE, SUMS_FILE, builtin_bundle_path
from edge_runtime.config import load_config
from edge_runtime.contract import SHIPPED_KINDS
from edge_runtime.wiring import Pipeline
from tests.accelerator.conftest import PATIENCE_S
from tests.source_tree import ROOT
from tests.tiny_bundles import sums

FRAMES = 80
LOST_AFTER = 15


@pytest.fixture
def config(tmp_path: Path, library: str) -> Path:
    """Write a configuration with the shipped bundles, each with a net that passes for a compiled one."""
    bundles = {kind: with_compiled_twin(builtin_bundle_path(kind), tmp_path / kind) for kind in SHIPPED_KINDS}
    path = tmp_path / "config.toml"
    settings: dict[str, dict[str, object]] = {
        "models": {
            "delegate": library,
            "delegate_wait_s": PATIENCE_S,
            "keypoints": str(bundles["keypoints"]),
            "emotion": str(bundles["emotion"]),
        },
        "detector": {"model": str(bundles["faces"])},
        "observations": {"rate_hz": "all"},
    }
    path.write_text(tables(settings))
    return path


def tables(settings: dict[str, dict[str, object]]) -> str:
    """Write TOML: a JSON string or number is one of TOML as well."""
    lines = []
    for name, rows in settings.items():
        lines += [f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in rows.items())]
    return "\n".join(lines)


def with_compiled_twin(bundle: Path, copy: Path) -> Path:
    """Copy a bundle and add model.tflite under the name of the compiled net."""
    shutil.copytree(bundle, copy)
    (copy / EDGETPU_FILE).write_bytes((copy / MODEL_FILE).read_bytes() + COMPILED_MARK)
    files = {file.name: file.read_bytes() for file in copy.iterdir() if file.name != SUMS_FILE}
    (copy / SUMS_FILE).write_bytes(sums(files))
    return copy


def schema_of(message: dict[str, Any]) -> str:
    """Return the kind of a payload: event, observation, status."""
    return str(message["schema"]).removeprefix("emotion-edge.").partition("/")[0]


@pytest.mark.parametrize(
    ("what", "reason"), [("abort", "its process ended by SIGABRT"), ("hang", "no answer within 1 s")]
)
def test_events_go_on_when_the_device_is_lost(
    config: Path, trigger: Path, what: str, reason: str, record_property: Callable[[str, object], None]
) -> None:
    told: list[dict[str, Any]] = []
    at: list[float] = []
    flags = ["--config", str(config), "--device", "edgetpu:usb:0", "--source", "demo", "--max-frames", str(FRAMES)]
    command = [sys.executable, "-m", "edge_runtime", "run", *flags, "--format", "json"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout is not None
        for line in running.stdout:
            told.append(msgspec.json.decode(line))
            if schema_of(told[-1]) == "observation":
                at.append(time.monotonic())
            if len(at) == LOST_AFTER and not trigger.exists():
                trigger.write_text(what)
        _, log = running.communicate(timeout=PATIENCE_S)

    seen = [message["frame"] for message in told if schema_of(message) == "observation"]
    statuses = [message for message in told if schema_of(message) == "status"]
    system = [message["message"] for message in told if message.get("event_type") == "system"]
    longest_s = max(later - earlier for earlier, later in zip(at[LOST_AFTER:], at[LOST_AFTER + 1 :], strict=False))
    record_property("longest_gap_ms", round(1000 * longest_s))
    lost = f"cpu (edgetpu lost: {reason})"
    assert running.returncode == 0
    assert seen == list(range(FRAMES))
    assert longest_s < 2.0
    assert statuses[0]["accelerator"] == "edgetpu:usb:0"
    assert next(status["state"] for status in statuses if status["accelerator"] == lost) == "degraded"
    assert f"edgetpu lost: {reason}" in " ".join(statuses[-1]["reasons"])
    assert system == [f"nets run on {lost}, before on edgetpu:usb:0"]
    assert f"edgetpu lost: {reason}, on the processor; next try in 5 s" in log.decode()
    assert told[-1]["state"] == "stopping"


def test_shipped_nets_are_not_compiled_and_the_log_says_which(caplog: pytest.LogCaptureFixture) -> None:
    config = load_config(os.devnull, overrides={"models.device": "edgetpu"})

    with Pipeline.from_config(config) as pipeline:
        label = pipeline.parts.accelerator.label

    assert label == "cpu (edgetpu not used: no compiled net in the bundles of faces, keypoints, emotion)"
    for kind in SHIPPED_KINDS:
        assert f"{kind}: no {EDGETPU_FILE} in its bundle; see `emotion-convert edgetpu`" in caplog.text


def test_bench_never_takes_the_processor_for_the_device(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["bench", "--config", os.devnull, "--device", "edgetpu"])

    assert code == 5
    assert f"no {EDGETPU_FILE} in its bundle" in capsys.readouterr().err


def test_selftest_compares_golden_answers_on_processor_and_device(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    verdicts = tmp_path / "verdicts.xml"
    chain = ["--config", str(config), "--device", "edgetpu:usb:0", "--source", "demo"]

    code = main(["selftest", *chain, "--seconds", "0.1", "--junit", str(verdicts)])

    suite = ET.parse(verdicts)  # noqa: S314  our own
    cases = {case.get("name"): case.findtext("system-out", "") for case in suite.iter("testcase")}
    assert code == 0, capsys.readouterr().out
    for kind in SHIPPED_KINDS:
        assert "largest difference 0 of 256 steps" in cases[f"{kind}, reference kernels"]
        assert "recorded inputs, largest difference" in cases[f"{kind}, cpu"]
        assert "recorded inputs, largest difference" in cases[f"{kind}, edgetpu:usb:0"]
