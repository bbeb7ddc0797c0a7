"""Layers of settings: which wins, and what the refusal of a wrong one says."""

from __future__ import annotations

import os
import re
import socket
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edge_runtime.config import device_id, load_config
from edge_runtime.errors import ConfigError
from edge_runtime.settings import Config, Section

NOTHING = Path(os.devnull)
"""A file without settings: a device that runs these tests may have its own."""


def written(folder: Path, text: str, name: str = "config.toml") -> Path:
    """Write a configuration file."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def refusal(path: Path = NOTHING, **layers: Any) -> str:  # noqa: ANN401
    """Return what a wrong configuration is refused with."""
    with pytest.raises(ConfigError) as refused:
        load_config(path, **layers)
    return str(refused.value)


def test_without_any_layer_everything_has_its_default(tmp_path: Path) -> None:
    assert load_config(written(tmp_path, "")) == Config()


def test_a_file_sets_what_it_names_and_nothing_else(tmp_path: Path) -> None:
    config = load_config(written(tmp_path, '[mqtt]\nhost = "broker.lan"\n\n[tracker]\nmax_faces = 3\n'))

    assert config.mqtt.host == "broker.lan"
    assert config.tracker.max_faces == 3
    assert config.mqtt.keep_alive_s == Config().mqtt.keep_alive_s
    assert config.policy == Config().policy


@pytest.mark.parametrize(
    ("layers", "winner"),
    [
        (("file",), "file"),
        (("file", "10"), "10"),
        (("file", "10", "20"), "20"),
        (("file", "10", "20", "environment"), "environment"),
        (("file", "10", "20", "environment", "flag"), "flag"),
        (("20", "flag"), "flag"),
        (("10", "environment"), "environment"),
        (("file", "flag"), "flag"),
    ],
)
def test_every_layer_wins_over_the_ones_before(tmp_path: Path, layers: tuple[str, ...], winner: str) -> None:
    def text(layer: str) -> str:
        return f'[mqtt]\nhost = "{layer}"\n' if layer in layers else ""

    path = written(tmp_path, text("file"))
    written(tmp_path, text("20"), "conf.d/20-site.toml")  # written first: the order is that of the names
    written(tmp_path, text("10"), "conf.d/10-board.toml")
    environment = {"EMOTION_EDGE_MQTT__HOST": "environment"} if "environment" in layers else {}
    overrides = {"mqtt.host": "flag"} if "flag" in layers else {}

    assert load_config(path, environment=environment, overrides=overrides).mqtt.host == winner


def test_layers_are_merged_key_by_key(tmp_path: Path) -> None:
    path = written(tmp_path, '[mqtt]\nhost = "broker"\nport = 1\n')
    written(tmp_path, "[mqtt]\nport = 2\n", "conf.d/10.toml")

    config = load_config(path, environment={"EMOTION_EDGE_MQTT__TLS": "true"}, overrides={"mqtt.username": "edge"})

    assert (config.mqtt.host, config.mqtt.port, config.mqtt.tls, config.mqtt.username) == ("broker", 2, True, "edge")


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("MQTT__PORT", "8883", 8883),
        ("MQTT__TLS", "true", True),
        ("MQTT__TLS", "0", False),
        ("SOURCE__FPS", "12.5", 12.5),
        ("SOURCE__URI", "1234", "1234"),
        ("POLICY__ENTER", "0.7", 0.7),
        ("POLICY__ENTER", "null", None),
        ("OBSERVATIONS__RATE_HZ", "2", 2.0),
        ("OBSERVATIONS__RATE_HZ", "all", "all"),
        ("DETECTOR__KIND", "yunet", "yunet"),
        ("mqtt__host", "broker", "broker"),
    ],
)
def test_variables_have_the_types_of_their_settings(name: str, text: str, value: object) -> None:
    config = load_config(NOTHING, environment={f"EMOTION_EDGE_{name}": text})

    section, key = name.lower().split("__")
    found = getattr(getattr(config, section), key)
    assert found == value
    assert type(found) is type(value)


def test_other_variables_are_left_alone() -> None:
    environment = {"EMOTION_EDGE_HARDWARE": "1", "PATH": "/bin", "MQTT__HOST": "x", "EMOTION_EDGEMQTT__HOST": "x"}

    assert load_config(NOTHING, environment=environment) == Config()


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ('[mqtt]\nhots = "x"\n', 2, "unknown key 'mqtt.hots'; did you mean 'host'?"),
        ('# first\n\n[mqqt]\nhost = "x"\n', 3, "unknown key 'mqqt'; did you mean 'mqtt'?"),
        ("[tracker]\nmax_gap = 1\n", 2, "unknown key 'tracker.max_gap'; did you mean 'max_gap_s'?"),
        ('log.fiel = "x"\n', 1, "unknown key 'log.fiel'; did you mean 'file'?"),
        ("[device]\nzzzz = 1\n", 2, "unknown key 'device.zzzz'; known here: id"),
        ("mqtt = 5\n", 1, "mqtt is a table, found 5; write [mqtt]"),
    ],
)
def test_a_wrong_key_is_refused_with_file_line_and_the_nearest(tmp_path: Path, text: str, line: int, said: str) -> None:
    path = written(tmp_path, text)

    assert refusal(path) == f"{path}:{line}: {said}"


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("[mqtt]\nport = 99999\n", 2, r"mqtt\.port = 99999: Expected `int` <= 65535"),
        ('[mqtt]\nport = "x"\n', 2, r"mqtt\.port = 'x': Expected `int`, got `str`"),
        ("[policy]\nenter = 1.5\n", 2, r"policy\.enter = 1\.5: Expected `float` <= 1\.0"),
        ('[detector]\nkind = "cnn"\n', 2, r"detector\.kind = 'cnn': expected one of \"faces\", \"haar\", \"yunet\"$"),
        ("[mqtt]\nversion = 5\n", 2, r"mqtt\.version = 5: expected one of \"3\.1\.1\", \"5\"$"),
        ('[observations]\nrate_hz = "al"\n', 2, r"observations\.rate_hz = 'al': expected a number or \"all\"$"),
        (
            '[mqtt]\ncommands = ["pause", "reboot"]\n',
            2,
            r"mqtt\.commands = \['pause', 'reboot'\]: expected a list, each one of \"pause\", \"reload\", ",
        ),
        (
            '[mqtt]\ncommands = "pause"\n',
            2,
            r"mqtt\.commands = 'pause': expected a list, each one of \"pause\", \"reload\", ",
        ),
        ('[mqtt]\nbase_topic = "a/#"\n', 2, r"mqtt\.base_topic = 'a/#': expected letters, digits, dot, dash and"),
        ("[source]\nfps = 0\n", 2, r"source\.fps = 0: Expected `float` > 0\.0"),
        (
            '\n[models]\ndevice = "gpu"\n',
            3,
            r"models\.device = 'gpu': expected cpu, edgetpu, edgetpu:usb:N or edgetpu:pci:N$",
        ),
        ('[device]\nid = "a/b"\n', 2, r"device\.id = 'a/b': expected letters, digits, dot, dash and underscore"),
        ("config_version = 2\n", 1, r"config_version = 2: expected 1$"),
        ("[console]\nenabled = 1\n", 2, r"console\.enabled = 1: expected true or false$"),
    ],
)
def test_a_wrong_value_is_refused_with_file_line_and_what_is_expected(
    tmp_path: Path, text: str, line: int, said: str
) -> None:
    path = written(tmp_path, text)

    assert re.match(rf"{re.escape(str(path))}:{line}: {said}", refusal(path))


def test_the_line_is_that_of_the_right_table(tmp_path: Path) -> None:
    path = written(tmp_path, "[detector]\nmin_face_px = 40\n\n[policy]\nmin_face_px = -1\n")

    assert refusal(path).startswith(f"{path}:5: policy.min_face_px = -1: ")


def test_the_line_of_a_wrong_key_is_that_of_the_right_table(tmp_path: Path) -> None:
    path = written(tmp_path, '[log]\nfile = "x"\n[mqtt]\nfile = "y"\n')

    assert refusal(path).startswith(f"{path}:4: unknown key 'mqtt.file'")


def test_the_line_of_a_wrong_key_in_an_inline_table_is_that_of_the_table(tmp_path: Path) -> None:
    path = written(tmp_path, '[log]\nfile = "x"\n\n[mqtt]\n[device]\nid = "a"\n')
    inline = written(tmp_path, 'config_version = 1\nmqtt = { hots = "x" }\n', "inline.toml")

    assert load_config(path).device.id == "a"
    assert refusal(inline).startswith(f"{inline}:2: unknown key 'mqtt.hots'")


def test_a_table_in_the_place_of_a_value_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, '[mqtt]\n[mqtt.host]\nname = "x"\n')

    assert refusal(path) == f"{path}:2: 'mqtt.host' is no table, found name in it; write mqtt.host = VALUE"


def test_of_several_files_the_one_that_set_the_value_is_named(tmp_path: Path) -> None:
    path = written(tmp_path, "[mqtt]\nport = 1883\n")
    part = written(tmp_path, "# a site\n[mqtt]\nport = -1\n", "conf.d/10.toml")

    assert refusal(path).startswith(f"{part}:3: mqtt.port = -1: ")


def test_a_wrong_variable_is_named_with_what_it_holds() -> None:
    said = refusal(environment={"EMOTION_EDGE_MQTT__PORT": "many"})

    assert said.startswith("environment variable EMOTION_EDGE_MQTT__PORT: Expected `int`")
    assert said.endswith("found 'many'")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("EMOTION_EDGE_MQTT__HOTS", "unknown key 'mqtt.hots'; did you mean 'host'?"),
        ("EMOTION_EDGE_MQQT__HOST", "unknown key 'mqqt'; did you mean 'mqtt'?"),
        ("EMOTION_EDGE_MQTT__HOST__NAME", "'mqtt.host' is no table"),
        ("EMOTION_EDGE_MQTT__", "unknown key 'mqtt.'"),
    ],
)
def test_a_variable_for_no_setting_is_refused(name: str, said: str) -> None:
    found = refusal(environment={name: "x"})

    assert found.startswith(f"environment variable {name}: ")
    assert said in found


def test_a_wrong_flag_is_refused_as_one() -> None:
    assert refusal(overrides={"models.device": "gpu"}).startswith("command line: models.device = 'gpu': ")
    assert refusal(overrides={"models.devcie": "cpu"}) == (
        "command line: unknown key 'models.devcie'; did you mean 'device'?"
    )


def test_a_file_that_was_asked_for_must_be_there(tmp_path: Path) -> None:
    assert refusal(tmp_path / "none.toml") == (
        f"{tmp_path}/none.toml: cannot read the configuration (No such file or directory); check --config"
    )


@pytest.mark.parametrize("content", [b"[mqtt\n", b"a = \n", b"x = 1\nx = 2\n", b"\xff\xfe"])
def test_a_file_that_is_no_toml_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(content)

    assert refusal(path).startswith(f"{path}: not valid TOML: ")


@pytest.mark.parametrize("value", ["nan", "inf", "-inf"])
@pytest.mark.parametrize("key", ["source.fps", "policy.enter", "policy.hold_s", "observations.rate_hz"])
def test_a_number_that_is_none_is_refused(tmp_path: Path, key: str, value: str) -> None:
    section, name = key.split(".")
    path = written(tmp_path, f"[{section}]\n{name} = {value}\n")

    assert refusal(path).startswith(f"{path}:2: {key} = ")


def test_the_device_is_called_as_configured() -> None:
    assert device_id(load_config(NOTHING, overrides={"device.id": "kiosk-1"})) == "kiosk-1"


def test_a_device_without_a_name_is_called_by_its_host() -> None:
    found = device_id(Config())

    assert found == re.sub(r"[^A-Za-z0-9._-]", "-", socket.gethostname())[:64]
    assert load_config(NOTHING, overrides={"device.id": found}).device.id == found


def _settings(section: type[Section], path: str = "") -> list[tuple[str, object]]:
    found: list[tuple[str, object]] = []
    for field in msgspec.structs.fields(section):
        if isinstance(field.type, type) and issubclass(field.type, Section):
            found += _settings(field.type, f"{path}{field.name}.")
        else:
            found.append((f"{path}{field.name}", field.default))
    return found


@pytest.mark.parametrize(("key", "default"), _settings(Config))
def test_every_default_may_be_written_out(key: str, default: object) -> None:
    assert load_config(NOTHING, overrides={key: default}) == Config()


@pytest.mark.parametrize(
    "text", ['source = "rtsp://admin:hunter2@cam/1"', '[source]\nuri = ["rtsp://admin:hunter2@cam/1"]']
)
def test_an_address_in_the_wrong_place_is_refused_without_showing_the_password(text: str, tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(text + "\n", encoding="utf-8")

    with pytest.raises(ConfigError, match="an address") as raised:
        load_config(path)

    assert "hunter2" not in str(raised.value)
