"""TLS is always verified: a wrong certificate is refused and told, and events wait until it is right."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from edge_runtime.clock import SystemClock
from edge_runtime.settings import Mqtt
from edge_runtime.sinks.mqtt import MqttSink
from tests.broker import Mosquitto, wait_until
from tests.faults.wall_clock import WallClock, needs_faketime
from tests.samples import event_message

pytestmark = [
    pytest.mark.broker,
    # paho leaves the socket of a failed handshake to Python's reference counting, which closes it at once and says so.
    pytest.mark.filterwarnings("ignore:.*<ssl.SSLSocket:pytest.PytestUnraisableExceptionWarning"),
]


class SecureBroker:
    """A broker with a certificate of an authority of its own, that asks its clients for one too."""

    def __init__(self, folder: Path, *, host: str = "127.0.0.1", client_certificates: bool = False) -> None:
        """Issue the certificates and start it."""
        self.authority = trustme.CA()
        self.ca_file = folder / "ca.pem"
        self.authority.cert_pem.write_to_path(str(self.ca_file))
        issue(self.authority, folder / "server", host)
        asks = ["require_certificate true", "use_identity_as_username true"] if client_certificates else []
        files = [f"cafile {self.ca_file}", f"certfile {folder}/server.pem", f"keyfile {folder}/server.key"]
        self.mosquitto = Mosquitto(folder, *files, *asks)
        self.mosquitto.start()

    def sink(self, *, ca_file: Path | None = None, certificate: Path | None = None) -> MqttSink:
        """Make a sink that trusts `ca_file`, and shows `certificate`.pem."""
        settings = Mqtt(
            host="127.0.0.1",
            port=self.mosquitto.port,
            tls=True,
            ca_file=str(ca_file or self.ca_file),
            client_cert_file=f"{certificate}.pem" if certificate else "",
            client_key_file=f"{certificate}.key" if certificate else "",
        )
        return MqttSink(settings, device_id="kiosk-1", clock=SystemClock())


def issue(authority: trustme.CA, path: Path, name: str) -> None:
    """Write NAME's certificate and key."""
    certificate = authority.issue_cert(name, common_name=name)
    certificate.private_key_pem.write_to_path(f"{path}.key")
    for part in certificate.cert_chain_pems:
        part.write_to_path(f"{path}.pem", append=True)


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[SecureBroker]:
    broker = SecureBroker(tmp_path)
    yield broker
    broker.mosquitto.stop()


@pytest.fixture
def mutual(tmp_path: Path) -> Iterator[SecureBroker]:
    broker = SecureBroker(tmp_path, client_certificates=True)
    yield broker
    broker.mosquitto.stop()


def test_events_travel_encrypted(secure: SecureBroker) -> None:
    with secure.sink() as sink:
        for seq in range(1, 101):
            sink.publish(event_message(seq))
        wait_until(lambda: sink.published["event"] == 100, what="all acknowledgements")

    assert not sink.dropped


def test_an_authority_that_is_not_ours_is_refused_and_events_wait(secure: SecureBroker, tmp_path: Path) -> None:
    stranger = tmp_path / "stranger.pem"
    trustme.CA().cert_pem.write_to_path(str(stranger))

    with secure.sink(ca_file=stranger) as sink:
        sink.publish(event_message())
        wait_until(lambda: "its certificate is not trusted" in (sink.problem or ""), what="the refusal")

        assert not sink.connected
        assert "check mqtt.ca_file, mqtt.host and this machine's clock" in (sink.problem or "")

    assert sink.published["event"] == 0


def test_a_certificate_of_another_host_is_refused(tmp_path: Path) -> None:
    broker = SecureBroker(tmp_path, host="elsewhere.example")

    try:
        with broker.sink() as sink:
            wait_until(lambda: "IP address mismatch" in (sink.problem or ""), what="the refusal")

            assert not sink.connected
    finally:
        broker.mosquitto.stop()


def test_a_client_certificate_opens_the_door(mutual: SecureBroker, tmp_path: Path) -> None:
    issue(mutual.authority, tmp_path / "client", "kiosk-1.example")

    with mutual.sink(certificate=tmp_path / "client") as sink:
        sink.publish(event_message())
        wait_until(lambda: sink.published["event"] == 1, what="an acknowledgement")


def test_without_a_client_certificate_the_door_stays_shut(mutual: SecureBroker) -> None:
    with mutual.sink() as sink:
        wait_until(lambda: "not connected yet" not in (sink.problem or ""), what="the refusal")

        assert not sink.connected


def test_a_plain_broker_is_not_taken_for_a_secure_one(tmp_path: Path, broker: Mosquitto) -> None:
    ca_file = tmp_path / "ca.pem"
    trustme.CA().cert_pem.write_to_path(str(ca_file))
    settings = Mqtt(host="127.0.0.1", port=broker.port, tls=True, ca_file=str(ca_file))

    with MqttSink(settings, device_id="kiosk-1", clock=SystemClock()) as sink:
        wait_until(lambda: "not connected yet" not in (sink.problem or ""), what="the refusal")

        assert not sink.connected


UNSET_CLOCK = """
import sys, threading
from edge_runtime.clock import SystemClock
from edge_runtime.settings import Mqtt
from edge_runtime.sinks.mqtt import MqttSink
from tests.samples import event_message
def wait_until(condition):  # not time.sleep: libfaketime takes its absolute monotonic time for a wall time
    pause, turns = threading.Event(), 0
    while not condition() and turns < 6000:
        pause.wait(0.01)
        turns += 1
settings = Mqtt(host="127.0.0.1", port=int(sys.argv[1]), tls=True, ca_file=sys.argv[2])
with MqttSink(settings, device_id="kiosk-1", clock=SystemClock()) as sink:
    for seq in range(1, 6):
        sink.publish(event_message(seq))
    wait_until(lambda: "not trusted" in (sink.problem or ""))
    print(sink.connected, sink.published["event"], sink.pending, sink.problem, flush=True)
    sys.stdin.readline()
    wait_until(lambda: sink.published["event"] == 5)
    print(sink.connected, sink.published["event"], sink.pending, sink.problem, flush=True)
"""


@needs_faketime
def test_a_clock_of_1970_is_told_events_wait_and_go_out_when_it_is_set(secure: SecureBroker, tmp_path: Path) -> None:
    clock = WallClock(tmp_path, "1970-01-01 00:02:00")
    now = dt.datetime.now(tz=dt.timezone.utc)

    with clock.started("-c", UNSET_CLOCK, str(secure.mosquitto.port), str(secure.ca_file)) as program:
        assert program.stdout is not None
        refused = program.stdout.readline()
        clock.step(f"{now:%Y-%m-%d %H:%M:%S}")
        out, err = program.communicate("set\n")

    assert program.returncode == 0, err[-3000:]
    assert refused.startswith("False 0 5 ")
    assert "not yet valid" in refused
    assert "this machine's clock" in refused
    assert out.startswith("True 5 0 None")
