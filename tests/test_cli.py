"""The command line as people and scripts use it: flags, exit codes, what is printed where."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any

import pytest

from edge_runtime.__main__ import main, parser
from edge_runtime.cli.options import split_host, web_address
from edge_runtime.errors import UsageError
from tests.scene import picture
from tests.sources.pictures import write_folder
from tests.tiny_bundles import emotion_bundle, flipped, keypoint_bundle

TIMEOUT_S = 60
NO_CONFIG = ("--config", os.devnull)
"""This machine may have a configuration of its own."""


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Write a folder of pictures of nobody."""
    return write_folder(tmp_path / "pictures", [picture() for _ in range(15)])


def test_help_names_every_verb_and_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])

    text = capsys.readouterr().out
    verbs = next(action for action in parser()._actions if isinstance(action, argparse._SubParsersAction))  # noqa: SLF001
    assert ended.value.code == 0
    assert {"run", "check", "bench", "config", "model", "version"} <= set(verbs.choices)
    assert all(verb in text for verb in verbs.choices)
    assert all(f"{code} " in text for code in range(7))


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["runn"],
        ["run", "--max-frames", "0"],
        ["run", "--max-frames", "many"],
        ["run", "--detector", "cnn"],
        ["config"],
        ["model", "install"],
        ["model", "rollback", "noses"],
    ],
)
def test_wrong_arguments_are_exit_code_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)

    assert ended.value.code == 2
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        ("broker", {"mqtt.host": "broker"}),
        ("broker.lan:1884", {"mqtt.host": "broker.lan", "mqtt.port": 1884}),
        ("10.0.0.1:8883", {"mqtt.host": "10.0.0.1", "mqtt.port": 8883}),
        ("[::1]:1883", {"mqtt.host": "::1", "mqtt.port": 1883}),
        ("[::1]", {"mqtt.host": "::1"}),
        ("::1", {"mqtt.host": "::1"}),
    ],
)
def test_a_brokers_address_is_a_host_and_maybe_a_port(text: str, settings: dict[str, Any]) -> None:
    assert split_host(text) == settings


@pytest.mark.parametrize("text", ["", ":1883", "broker:", "broker:x", "[]:1", "[::1]x", "[::1"])
def test_what_is_no_brokers_address_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"--mqtt .*: expected HOST or HOST:PORT"):
        split_host(text)


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        ("8080", {"web.enabled": True, "web.port": 8080}),
        ("0.0.0.0:80", {"web.enabled": True, "web.host": "0.0.0.0", "web.port": 80}),  # noqa: S104
        ("[::1]:8080", {"web.enabled": True, "web.host": "::1", "web.port": 8080}),
    ],
)
def test_the_web_servers_address_is_a_port_and_maybe_a_host(text: str, settings: dict[str, Any]) -> None:
    assert web_address(text) == settings


@pytest.mark.parametrize("text", ["", "localhost", "::1:8080", "localhost:"])
def test_what_is_no_address_to_listen_on_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"--web .*: expected PORT or HOST:PORT"):
        web_address(text)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["config", "check", "--config", "none.toml"], 3, "none.toml: cannot read the configuration"),
        (["run", *NO_CONFIG, "--mqtt", ":1"], 2, "--mqtt :1: expected HOST"),
        (["run", *NO_CONFIG, "--device", "gpu"], 3, "command line: models.device = 'gpu'"),
        (["bench", *NO_CONFIG, "--source", "none.mp4"], 4, "none.mp4"),
        (["bench", *NO_CONFIG, "--device", "edgetpu:usb:0"], 5, "edgetpu:usb:0"),
        (["record", *NO_CONFIG, "--source", __file__, __file__], 2, "is the clip itself; give another name"),
        (["selftest", *NO_CONFIG, "--junit", "none/verdicts.xml"], 2, "--junit none/verdicts.xml: no such folder"),
        (
            ["selftest", *NO_CONFIG, "--source", "demo", "--seconds", "0.1", "--junit", "/proc/verdicts.xml"],
            2,
            "--junit /proc",
        ),
        (["run", *NO_CONFIG, "--source", "K\udcfcche.mp4"], 2, r"K\xfcche.mp4: expected a name in UTF-8"),
        (["annotate", *NO_CONFIG, "demo", "K\udcfcche.mp4"], 2, r"K\xfcche.mp4: expected a name in UTF-8"),
        (["model", "verify", "none"], 5, "none: cannot read the model bundle"),
        (["model", "list", "--config", os.devnull], 0, ""),
    ],
)
def test_an_expected_error_is_one_line_and_its_exit_code(
    arguments: list[str], code: int, said: str, capfd: pytest.CaptureFixture[str]
) -> None:
    found = main(arguments)

    told = capfd.readouterr().err
    assert found == code
    assert said in told
    assert "Traceback" not in told
    assert told.count("emotion-edge: ") == (1 if code else 0)


@pytest.mark.parametrize("seconds", ["nan", "inf", "0", "-1", "x"])
def test_a_self_test_that_would_not_end_is_refused(seconds: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["selftest", *NO_CONFIG, f"--seconds={seconds}"])

    assert ended.value.code == 2
    assert f"--seconds: expected seconds above 0, found '{seconds}'" in capsys.readouterr().err


def test_versions_name_the_program_the_libraries_and_the_models(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["version", "--json"]) == 0

    found = json.loads(capsys.readouterr().out)
    assert {"emotion-edge", "python", "numpy", "keypoints model", "emotion model"} <= set(found)
    assert "unusable" not in found["emotion model"]


def test_the_models_in_use_are_listed(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    mine = emotion_bundle().write_folder(tmp_path / "mine")
    config = tmp_path / "config.toml"
    config.write_text(f'[models]\nemotion = "{mine}"\n')

    assert main(["model", "list", "--config", str(config), "--json"]) == 0

    rows = [row for row in json.loads(capsys.readouterr().out) if row["in_use"]]
    assert [row["kind"] for row in rows] == ["keypoints", "emotion", "faces"]
    assert (rows[1]["name"], rows[1]["version"], rows[1]["path"]) == ("tiny-emotion", "1.2.3", str(mine))
    assert all(len(row["sha256"]) == 64 for row in rows)


@pytest.mark.parametrize("form", ["folder", "zip"])
def test_an_intact_bundle_is_said_to_be_intact(form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundle = keypoint_bundle()
    path = bundle.write_folder(tmp_path / "b") if form == "folder" else bundle.write_zip(tmp_path / "b.emodel")

    assert main(["model", "verify", str(path), "--json"]) == 0

    found = json.loads(capsys.readouterr().out)
    assert found == {"ok": True, "kind": "keypoints", "name": "tiny-keypoints", "version": "1.2.3"}


def test_a_damaged_bundle_is_exit_code_5(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = emotion_bundle().write_folder(tmp_path / "b")
    (folder / "model.tflite").write_bytes(flipped((folder / "model.tflite").read_bytes(), 100))

    assert main(["model", "verify", str(folder)]) == 5
    assert f"{folder}/model.tflite: damaged: digest" in capsys.readouterr().err


def test_check_says_what_is_missing(pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["check", *NO_CONFIG, "--source", str(pictures), "--mqtt", "127.0.0.1:1", "--json"])

    found = json.loads(capsys.readouterr().out)
    states = {finding["subject"]: finding["state"] for finding in found["findings"]}
    assert (code, found["ok"]) == (6, False)
    assert states["broker"] == "failed"
    assert states["source"] == "warning"  # all of one shade
    assert (states["keypoints"], states["emotion"], states["detector"]) == ("ok", "ok", "ok")
    assert all(finding["remedy"] for finding in found["findings"] if finding["state"] in {"failed", "warning"})


def test_bench_measures_every_stage_it_runs(pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", *NO_CONFIG, "--source", str(pictures), "--frames", "5", "--json"]) == 0

    found = json.loads(capsys.readouterr().out)
    assert found["frames"] == 5
    assert found["faces_per_frame"] == 0
    assert found["stages"]["total"]["runs"] == 5
    assert 0 < found["stages"]["total"]["p50_ms"] <= found["stages"]["total"]["p95_ms"]
    assert found["fps"] > 0


@pytest.mark.parametrize("frames", ["0", "-5", "many"])
def test_bench_measures_one_frame_at_least(frames: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["bench", *NO_CONFIG, "--frames", frames])

    assert ended.value.code == 2
    assert "expected a whole number from 1" in capsys.readouterr().err


def test_a_recording_of_a_camera_that_does_not_open_leaves_the_older_one(tmp_path: Path) -> None:
    older = tmp_path / "older.jsonl"
    older.write_text("older\n")

    assert main(["record", *NO_CONFIG, "--source", "rtsp://127.0.0.1:1/live", str(older)]) == 4
    assert older.read_text() == "older\n"


def test_a_recording_asks_nobody_though_the_page_would(pictures: Path, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text("[web]\nenabled = true\nconsent_gate = true\n")
    out = tmp_path / "out.jsonl"

    assert main(["record", "--config", str(config), "--source", str(pictures), "--quiet", str(out)]) == 0
    assert len(out.read_text().splitlines()) == 16


def test_a_source_too_short_to_measure_is_exit_code_4(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    short = write_folder(tmp_path / "short", [picture()] * 3)

    assert main(["bench", *NO_CONFIG, "--source", str(short)]) == 4
    assert "3 frames, too few to measure" in capsys.readouterr().err
