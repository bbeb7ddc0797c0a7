"""The way to the broker: nobody there, the wrong certificate, no route."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from edge_runtime.doctor.network import broker as look_at_broker
from edge_runtime.doctor.network import look
from edge_runtime.settings import Mqtt
from tests.broker import Mosquitto, broker, free_port
from tests.doctor.machines import machine, only, put

__all__ = ["broker"]


@pytest.fixture
def encrypted(tmp_path: Path) -> Iterator[tuple[Mosquitto, Path]]:
    """Run a broker with a certificate for localhost; returns it and the file of its authority."""
    authority = trustme.CA()
    own = authority.issue_cert("localhost")
    files = {name: tmp_path / name for name in ("ca.pem", "own.pem", "own.key")}
    authority.cert_pem.write_to_path(files["ca.pem"])
    own.cert_chain_pems[0].write_to_path(files["own.pem"])
    own.private_key_pem.write_to_path(files["own.key"])
    mosquitto = Mosquitto(tmp_path, f"certfile {files['own.pem']}", f"keyfile {files['own.key']}")
    mosquitto.start()
    yield mosquitto, files["ca.pem"]
    mosquitto.stop()


@pytest.mark.broker
def test_a_broker_that_is_there_is_ok(broker: Mosquitto) -> None:
    found = look_at_broker(Mqtt(host="127.0.0.1", port=broker.port))

    assert found.state == "ok"
    assert "not encrypted" in found.found


@pytest.mark.broker
def test_a_trusted_certificate_is_ok_and_another_fails_with_the_brokers_code(
    encrypted: tuple[Mosquitto, Path],
) -> None:
    mosquitto, authority = encrypted

    trusted = look_at_broker(Mqtt(host="localhost", port=mosquitto.port, tls=True, ca_file=str(authority)))
    unknown = look_at_broker(Mqtt(host="localhost", port=mosquitto.port, tls=True))
    misnamed = look_at_broker(Mqtt(host="127.0.0.1", port=mosquitto.port, tls=True, ca_file=str(authority)))

    assert trusted.found.endswith("certificate trusted")
    assert [unknown.exit_code, misnamed.exit_code] == [6, 6]
    assert "mqtt.ca_file" in unknown.remedy
    assert "127.0.0.1" in misnamed.found


def test_nobody_there_fails_with_the_brokers_code() -> None:
    found = look_at_broker(Mqtt(host="127.0.0.1", port=free_port()))

    assert (found.state, found.exit_code) == ("failed", 6)
    assert "Connection refused" in found.found


def test_a_password_that_cannot_be_read_names_its_setting(tmp_path: Path) -> None:
    found = look_at_broker(Mqtt(host="localhost", username="me", password_file=str(tmp_path / "missing")))

    assert found.state == "failed"
    assert "mqtt.password_file" in found.remedy


def test_routes_are_named(tmp_path: Path) -> None:
    looked_at = machine(tmp_path)
    connected = only(look(looked_at, Mqtt()), "network")
    put(tmp_path, "proc/net/route", "Iface Destination Gateway\n")
    alone = only(look(looked_at, Mqtt()), "network")

    assert connected.found == "to other networks over wlan0"
    assert alone.state == "off"
