from __future__ import annotations

import logging
import ssl
from pathlib import Path
from typing import Any

import msgspec
import pytest
import trustme

from edge_runtime.errors import ConfigError, SinkError
from edge_runtime.settings import Mqtt
from edge_runtime.sinks.mqtt.options import Options


def options(**settings: Any) -> Options:  # noqa: ANN401
    return Options(msgspec.convert({"host": "broker.example"} | settings, Mqtt), "kiosk-1")


@pytest.mark.parametrize(
    ("settings", "port"), [({}, 1883), ({"tls": True}, 8883), ({"port": 1884}, 1884), ({"tls": True, "port": 443}, 443)]
)
def test_the_usual_port_depends_on_tls(settings: dict[str, Any], port: int) -> None:
    assert options(**settings).port == port


def test_topics_begin_with_base_and_device() -> None:
    assert options(base_topic="shop/floor-2").topic("event") == "shop/floor-2/kiosk-1/event"


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"will_delay_s": 60, "session_expiry_s": 60}, "mqtt.will_delay_s = 60: expected less than"),
        ({"ca_file": "/ca.pem"}, "set mqtt.tls = true"),
        ({"tls": True, "client_key_file": "/key.pem"}, "a key needs its certificate"),
        ({"password_file": "/password"}, "a password needs a user name"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(settings: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        options(**settings)


def test_a_password_is_its_file_without_the_line_break(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "password"
    file.write_text(" päss word \n", encoding="utf-8")
    file.chmod(0o600)

    password = options(username="kiosk", password_file=str(file), tls=True).password()

    assert password == " päss word "  # noqa: S105
    assert not caplog.text


def test_a_password_that_everybody_may_read_is_warned_of(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = tmp_path / "password"
    file.write_text("secret", encoding="utf-8")
    file.chmod(0o644)

    options(username="kiosk", password_file=str(file), tls=True).password()

    assert "everybody can read this password" in caplog.text
    assert "secret" not in caplog.text


@pytest.mark.parametrize(("host", "warned"), [("broker.example", True), ("127.0.0.1", False), ("localhost", False)])
def test_a_password_in_clear_text_is_warned_of(host: str, *, warned: bool, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        options(host=host, username="kiosk", password_file="/password")  # noqa: S106  a path

    assert ("in clear text" in caplog.text) is warned


def test_a_password_file_that_is_missing_is_refused_with_a_remedy(tmp_path: Path) -> None:
    missing = options(username="kiosk", password_file=str(tmp_path / "none"), tls=True)

    with pytest.raises(SinkError, match=r"cannot read the MQTT password .+ mqtt\.password_file names"):
        missing.password()


def test_certificates_are_always_verified(tmp_path: Path) -> None:
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "ca.pem"))

    context = options(tls=True, ca_file=str(tmp_path / "ca.pem")).tls_context()

    assert context is not None
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert len(context.get_ca_certs()) == 1


def test_without_tls_there_is_no_context() -> None:
    assert options().tls_context() is None


@pytest.mark.parametrize("content", [None, "not a certificate"])
def test_certificates_that_cannot_be_used_are_refused_with_their_paths(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content, encoding="utf-8")

    with pytest.raises(SinkError, match=r"ca\.pem.+cannot use these certificates"):
        options(tls=True, ca_file=str(file)).tls_context()
