"""Settings that do not go together, files that may not be read, and the words of a refusal."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from edge_runtime.config import load_config
from edge_runtime.errors import ConfigError
from tests.test_config import NOTHING, refusal, written


def refused_without_rights(folder: Path, closed: str) -> str:
    """Load a folder's configuration as a user who may not read one part of it; root may read everything."""
    script = (
        "import os\n"
        "import encodings.utf_8_sig\n"  # of Python's own folder, which may be closed to others too
        "from edge_runtime.config import load_config\n"
        "from edge_runtime.errors import ConfigError\n"
        f"os.chmod({closed or '.'!r}, 0)\n"
        "if os.geteuid() == 0:\n"
        "    os.setresuid(65534, 65534, 65534)\n"
        "try:\n"
        "    load_config('config.toml')\n"
        "except ConfigError as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=folder,  # and relative names: the folders above are closed to others
        env={"PYTHONPATH": str(Path.cwd())},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    (folder / closed).chmod(0o755)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_wrong_variable_for_one_of_few_says_which() -> None:
    assert refusal(environment={"EMOTION_EDGE_SERVICE__LOG_LEVEL": "INFO"}) == (
        "environment variable EMOTION_EDGE_SERVICE__LOG_LEVEL: "
        'expected one of "debug", "error", "info", "warning", found \'INFO\''
    )


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("EMOTION_EDGE_WEB__ENABLED", "yes", "expected true or false, found 'yes'"),
        ("EMOTION_EDGE_WEB__ALLOWED_HOSTS", "a", "expected a list, found 'a'; a list can stand in a file only"),
        ("EMOTION_EDGE_MQTT_HOST", "a", "no setting has this name; did you mean EMOTION_EDGE_MQTT__HOST?"),
        ("EMOTION_EDGE_WEB_TOKEN_FILE", "a", "no setting has this name; did you mean EMOTION_EDGE_WEB__TOKEN_FILE?"),
    ],
)
def test_a_variable_that_would_do_nothing_is_refused_in_plain_words(name: str, text: str, said: str) -> None:
    assert refusal(environment={name: text}) == f"environment variable {name}: {said}"


def test_a_variable_that_is_no_text_is_refused() -> None:
    assert refusal(environment={"EMOTION_EDGE_SOURCE__URI": "K\udcfcche.mp4"}) == (
        r"environment variable EMOTION_EDGE_SOURCE__URI: expected text in UTF-8, found 'K\udcfcche.mp4'"
    )


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("[mqtt]\nrequire = true\n", 2, "mqtt.require = true, but mqtt.host is empty: no broker is named; "),
        ('[mqtt]\nhost = "mqtt://u:secret@h"\n', 2, "mqtt.host: expected a name or an address alone"),
        ('[mqtt]\nhost = "h:1883"\n', 2, "mqtt.host: expected a name or an address alone"),
        ('[mqtt]\nhost = "[::1]"\n', 2, "mqtt.host: expected a name or an address alone"),
        ("[governor]\nhot_c = 60\n", 2, "governor.cool_c = 70: expected less than governor.hot_c = 60"),
        ("[governor]\nenabled = true\ncool_c = 80\n", 3, "governor.cool_c = 80: expected less than governor.hot_c"),
        ("[governor]\nsteps_fps = [2, 10]\n", 2, "governor.steps_fps = [2, 10]: expected each step below the one"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(tmp_path: Path, text: str, line: int, said: str) -> None:
    path = written(tmp_path, text)

    found = refusal(path)
    assert found.startswith(f"{path}:{line}: {said}")
    assert "secret" not in found


@pytest.mark.parametrize("host", ["broker.lan", "192.168.1.20", "::1", "fe80::1%eth0", "2001:db8::1"])
def test_names_and_addresses_of_brokers_are_taken(host: str) -> None:
    assert load_config(NOTHING, overrides={"mqtt.host": host, "mqtt.require": True}).mqtt.host == host


def test_a_file_that_begins_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(b"\xef\xbb\xbf[log]\r\nkeep = 3\r\n")

    assert load_config(path).log.keep == 3


@pytest.mark.parametrize("closed", ["config.toml", "conf.d", "conf.d/50-local.toml", ""])
def test_what_may_not_be_read_is_refused_and_not_left_out(tmp_path: Path, closed: str) -> None:
    folder = tmp_path / "etc"
    written(folder, "[log]\nkeep = 2\n")
    written(folder, "[log]\nkeep = 3\n", "conf.d/50-local.toml")

    said = refused_without_rights(folder, closed)

    named = closed or "config.toml"
    assert said == (
        f"{named}: cannot read the configuration (Permission denied); let this user read it: sudo chmod a+rX {named}"
    )


@pytest.mark.parametrize("context", ["workplace", "education"])
def test_a_workplace_or_a_school_needs_a_reason(context: str) -> None:
    said = refusal(overrides={"deployment.context": context})

    assert f"deployment.context = '{context}'" in said
    assert "AI Act Art. 5(1)(f)" in said
    assert "deployment.medical_or_safety_reason" in said
    assert refusal(overrides={"deployment.context": context, "deployment.medical_or_safety_reason": "  "}) == said
    reason = {"deployment.context": context, "deployment.medical_or_safety_reason": "drowsy crane drivers"}
    assert load_config(NOTHING, overrides=reason).deployment.context == context


@pytest.mark.parametrize("missing", ["enabled", "page"])
def test_a_consent_gate_without_the_page_names_both_keys(missing: str, tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("[web]\nconsent_gate = true\n")
    overrides = {"web.enabled": True, "web.page": True, f"web.{missing}": False}

    with pytest.raises(ConfigError, match=rf"config\.toml:2: web\.consent_gate = true, but web\.{missing} = false"):
        load_config(path, overrides=overrides)
