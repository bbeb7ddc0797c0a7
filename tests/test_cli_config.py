"""`emotion-edge config`, and what the command line prints of a configuration."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import jsonschema
import msgspec
import pytest

from edge_runtime.__main__ import main
from edge_runtime.settings import Config
from tests.test_cli import NO_CONFIG


def test_what_is_printed_is_utf_8_in_every_locale(tmp_path: Path, repository: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('[source]\nuri = "Küche.mp4"\n', encoding="utf-8")
    old = {"PATH": os.environ["PATH"], "LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}

    done = subprocess.run(
        [sys.executable, "-m", "edge_runtime", "check", "--config", str(path)],
        env={**old, "PYTHONPATH": str(repository)},
        capture_output=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 4
    assert "Küche.mp4" in done.stdout.decode()


def test_the_shown_configuration_is_one_that_loads(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "show", *NO_CONFIG]) == 0
    shown = capsys.readouterr().out
    path = tmp_path / "shown.toml"
    path.write_text(shown)

    assert main(["config", "show", "--config", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads(msgspec.json.encode(Config()))


def test_a_check_of_the_configuration_names_the_files_that_count(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "conf.d").mkdir()
    for name in ("config.toml", "conf.d/50-local.toml", "conf.d/60-other.conf"):
        (tmp_path / name).write_text("")
    monkeypatch.setenv("EMOTION_EDGE_MQTT__PORT", "1884")
    check = ["config", "check", "--config", str(tmp_path / "config.toml")]

    assert main(check) == 0
    assert capsys.readouterr().out.splitlines() == [
        "configuration ok",
        f"  {tmp_path}/config.toml",
        f"  {tmp_path}/conf.d/50-local.toml",
        "  environment variable EMOTION_EDGE_MQTT__PORT",
    ]
    assert main([*check, "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["layers"]) == 3


def test_the_configuration_of_file_and_environment_is_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "config.toml"
    path.write_text('[mqtt]\nhost = "broker"\n')
    monkeypatch.setenv("EMOTION_EDGE_MQTT__PORT", "1884")

    assert main(["config", "show", "--config", str(path), "--json"]) == 0

    shown = json.loads(capsys.readouterr().out)
    assert (shown["mqtt"]["host"], shown["mqtt"]["port"]) == ("broker", 1884)


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_the_password_of_a_camera_in_the_network_is_not_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], form: list[str]
) -> None:
    path = tmp_path / "config.toml"
    path.write_text('[source]\nuri = "rtsp://user:geheim@camera.local:554/live?key=geheim"\n')

    assert main(["config", "show", "--config", str(path), *form]) == 0

    shown = capsys.readouterr().out
    assert "rtsp://camera.local:554/live" in shown
    assert "geheim" not in shown


def test_a_right_configuration_is_said_to_be_right(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "check", *NO_CONFIG, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"ok": True, "layers": [os.devnull]}


def test_a_typo_in_the_configuration_is_exit_code_3_with_the_remedy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "config.toml"
    path.write_text('[mqtt]\nhots = "broker"\n')

    assert main(["config", "check", "--config", str(path)]) == 3

    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.strip() == f"emotion-edge: {path}:2: unknown key 'mqtt.hots'; did you mean 'host'?"


def test_the_schema_accepts_the_defaults_and_refuses_a_typo(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "schema"]) == 0

    check = jsonschema.Draft202012Validator(json.loads(capsys.readouterr().out))
    check.validate(json.loads(msgspec.json.encode(Config())))
    assert not check.is_valid({"mqtt": {"hots": "broker"}})
