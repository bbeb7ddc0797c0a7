"""The self-test as a factory line uses it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from xml.etree import ElementTree as ET

import msgspec
import numpy as np
import pytest
import trustme
from numpy.typing import NDArray

from edge_runtime.__main__ import main
from edge_runtime.datatypes import Frame
from edge_runtime.errors import BrokerError, SourceError
from edge_runtime.outbox.store import Store, StoredEvent
from edge_runtime.selftest import Verdict, as_junit, described
from edge_runtime.selftest.broker import cases as broker_cases
from edge_runtime.selftest.source import read
from edge_runtime.selftest.storage import cases as storage
from edge_runtime.selftest.verdict import Case, verdict
from edge_runtime.settings import Config, Device, Mqtt, Outbox, Source
from tests.broker import Listener, Mosquitto, broker, free_port

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["broker"]


class PacedCamera:
    """A live source that gives each picture when its time has come."""

    name = "paced"
    live = True

    def __init__(self, pictures: list[NDArray[np.uint8]], *, fps: float) -> None:
        """Hold (h, w) pictures."""
        self._pictures, self._fps, self._pause = pictures, fps, threading.Event()

    def __enter__(self) -> Self:
        """Nothing is to be opened."""
        return self

    def __exit__(self, *exc: object) -> None:
        """End the wait for the next picture."""
        self._pause.set()

    def frames(self) -> Iterator[Frame]:
        """Wait for the time of each."""
        for index, pixels in enumerate(self._pictures):
            self._pause.wait(1 / self._fps)
            yield Frame(index=index, captured_at=index / self._fps, pixels=pixels)


def noisy(count: int) -> list[NDArray[np.uint8]]:
    """Make pictures as a sensor gives them: no two are equal."""
    rng = np.random.default_rng(1)
    return [rng.integers(60, 200, (48, 64), dtype=np.uint8) for _ in range(count)]


def only(cases: Callable[[Config, float], Iterator[Case]], config: Config) -> Verdict:
    """Run the one case of a kind."""
    (case,) = cases(config, 0.1)
    return verdict(case)


def told(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """Read what --json printed; verdicts by their subjects."""
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    found["verdicts"] = {verdict["subject"]: verdict for verdict in found["verdicts"]}
    return found


def test_nets_and_demo_pass_and_what_is_not_configured_is_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    junit = tmp_path / "verdicts.xml"

    code = main(["selftest", "--source", "demo", "--seconds", "0.2", "--junit", str(junit), "--json"])

    found = told(capsys)
    assert code == found["exit_code"] == 0
    assert [verdict["passed"] for verdict in found["verdicts"].values()] == [True] * 7 + [None] * 2
    suite = ET.fromstring(junit.read_bytes())  # noqa: S314  our own file
    assert (suite.get("failures"), suite.get("skipped")) == ("0", "2")
    assert len(suite.findall("testcase")) == len(found["verdicts"])


def test_a_source_that_is_not_there_ends_with_its_code_and_the_rest_is_still_proven(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code = main(["selftest", "--source", "nowhere.mp4"])

    lines = capsys.readouterr().out.splitlines()
    assert code == 4
    assert lines[0].startswith("passed   keypoints, reference kernels   8 recorded inputs, largest difference 0 of 256")
    assert lines[6].startswith("FAILED   source                         source 'nowhere.mp4': no such file")
    assert lines[-1].startswith("6 passed, 1 failed, 2 left out: ")


def test_the_verdicts_are_filed_under_board_and_serial_number(tmp_path: Path) -> None:
    folder = tmp_path / "proc/device-tree"
    folder.mkdir(parents=True)
    (folder / "model").write_bytes(b"Raspberry Pi 4 Model B Rev 1.5\0")
    (folder / "serial-number").write_bytes(b"10000000abcdef01\0")

    device = described(Config(device=Device(id="kiosk-7")), tmp_path)
    suite = ET.fromstring(as_junit([Verdict("source", passed=False, told="<no> frame", seconds=1.0)], device))  # noqa: S314

    properties = {entry.get("name"): entry.get("value") for entry in suite.findall("properties/property")}
    assert properties["board"] == "Raspberry Pi 4 Model B Rev 1.5"
    assert properties["serial"] == "10000000abcdef01"
    assert suite.get("hostname") == properties["device_id"] == "kiosk-7"
    failure = suite.find("testcase/failure")
    assert failure is not None
    assert failure.get("message") == "<no> frame"


@pytest.mark.parametrize("passed", [True, False, None])
def test_what_xml_cannot_hold_leaves_the_verdicts_readable(*, passed: bool | None) -> None:
    told = "a \x1b[31mred\0 \ud800 \ufffe word\n\U0001f600"

    suite = ET.fromstring(as_junit([Verdict("broker", passed, told, 1.0)], {"device_id": "a\x07"}))  # noqa: S314

    shown = [text for case in suite.iter() for text in (case.text, case.get("message")) if text]
    assert shown == ["a \ufffd[31mred\ufffd \ufffd \ufffd word\n\U0001f600"]
    assert suite.get("hostname") == "a\ufffd"


def test_a_failure_keeps_the_code_of_its_cause() -> None:
    def refuse() -> str:
        raise BrokerError("nobody there")

    ended = verdict(Case("broker", refuse))

    assert (ended.passed, ended.exit_code, ended.told) == (False, 6, "nobody there")


def test_a_camera_is_told_with_the_rate_it_reached() -> None:
    found = read(Source(fps=25.0), PacedCamera(noisy(40), fps=50.0), 0.4)

    assert "frames of 64 x 48" in found
    assert found.endswith("50.0 per second of 25 asked for")


def test_a_camera_that_is_too_slow_fails() -> None:
    with pytest.raises(SourceError, match=r"50\.0 per second of 200 asked for; more light"):
        read(Source(fps=200.0), PacedCamera(noisy(30), fps=50.0), 0.4)


@pytest.mark.parametrize(
    ("picture", "trouble"),
    [
        pytest.param(noisy(1)[0], "frozen", id="frozen"),
        pytest.param(np.zeros((48, 64), np.uint8), "black", id="black"),
        pytest.param(np.full((48, 64), 200, np.uint8), "one shade", id="one shade"),
    ],
)
def test_a_camera_that_does_not_show_the_world_fails(picture: NDArray[np.uint8], trouble: str) -> None:
    with pytest.raises(SourceError, match=f"the picture is {trouble}; look at lens cap"):
        read(Source(fps=50.0), PacedCamera([picture] * 40, fps=50.0), 0.5)


def test_the_outboxs_disk_is_proven_without_touching_the_outbox(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    path.write_bytes(b"the service's own")

    ended = only(storage, Config(outbox=Outbox(path=str(path))))

    assert ended.passed is True
    assert "one event written to the disk and read back" in ended.told
    assert {found.name: found.read_bytes() for found in tmp_path.iterdir()} == {"outbox.db": b"the service's own"}


def test_what_a_killed_self_test_left_is_not_taken_for_a_damaged_card(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    left = Store(Outbox(path=f"{path}.selftest"))
    left.commit([StoredEvent("event", "emotion-edge.event/1", b"{}")], [], 0.0)
    left.close()

    ended = only(storage, Config(outbox=Outbox(path=str(path))))

    assert ended.passed is True, ended.told
    assert not list(tmp_path.iterdir())


def test_an_event_that_comes_back_otherwise_is_told_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Store, "read", lambda *_: [])

    ended = only(storage, Config(outbox=Outbox(path=str(tmp_path / "outbox.db"))))

    assert ended.told.endswith("wrote one event, read []; the card is damaged, replace it")


def test_an_outbox_that_cannot_be_written_fails(tmp_path: Path) -> None:
    ended = only(storage, Config(outbox=Outbox(path=str(tmp_path / "missing" / "outbox.db"))))

    assert (ended.passed, ended.exit_code) == (False, 1)
    assert "run as the service's user" in ended.told


@pytest.mark.broker
@pytest.mark.parametrize("version", ["5", "3.1.1"])
def test_an_event_goes_to_the_broker_and_comes_back(version: Literal["5", "3.1.1"], broker: Mosquitto) -> None:
    settings = Mqtt(host="127.0.0.1", port=broker.port, version=version)
    with Listener(broker.port) as listener:
        ended = only(broker_cases, Config(mqtt=settings, device=Device(id="kiosk-7")))

        message = listener.next("selftest")

    assert ended.passed is True, ended.told
    assert "one event acknowledged after" in ended.told
    assert message.topic == "emotion_edge/kiosk-7/selftest"
    assert json.loads(message.payload)["event_type"] == "system"
    assert not message.retain


@pytest.mark.broker
def test_an_access_list_that_hides_the_event_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "acl").write_text("topic write emotion_edge/#\n", encoding="utf-8")
    (tmp_path / "acl").chmod(0o600)
    strict = Mosquitto(tmp_path, f"acl_file {tmp_path / 'acl'}")
    strict.start()
    monkeypatch.setattr("edge_runtime.sinks.mqtt.round_trip.PATIENCE_S", 1.0)
    try:
        ended = only(broker_cases, Config(mqtt=Mqtt(host="127.0.0.1", port=strict.port)))
    finally:
        strict.stop()

    assert (ended.passed, ended.exit_code) == (False, 6)
    assert "access list, see docs/mqtt.md" in ended.told


@pytest.mark.broker
@pytest.mark.parametrize("version", ["5", "3.1.1"])
def test_a_broker_that_wants_a_password_is_told(version: Literal["5", "3.1.1"], tmp_path: Path) -> None:
    closed = Mosquitto(tmp_path, "allow_anonymous false")
    closed.start()
    try:
        ended = only(broker_cases, Config(mqtt=Mqtt(host="127.0.0.1", port=closed.port, version=version)))
    finally:
        closed.stop()

    assert (ended.passed, ended.exit_code) == (False, 6)
    assert "check mqtt.username and mqtt.password_file" in ended.told


@pytest.mark.broker
def test_a_broker_with_tls_is_proven_with_its_certificate(tmp_path: Path) -> None:
    authority = trustme.CA()
    own = authority.issue_cert("localhost")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    own.private_key_and_cert_chain_pem.write_to_path(tmp_path / "own.pem")
    encrypted = Mosquitto(tmp_path, f"certfile {tmp_path / 'own.pem'}", f"keyfile {tmp_path / 'own.pem'}")
    encrypted.start()
    settings = Mqtt(host="localhost", port=encrypted.port, tls=True)
    try:
        untrusted = only(broker_cases, Config(mqtt=settings))
        trusted = only(broker_cases, Config(mqtt=msgspec.structs.replace(settings, ca_file=str(tmp_path / "ca.pem"))))
    finally:
        encrypted.stop()

    assert (untrusted.passed, untrusted.exit_code) == (False, 6)
    assert "certificate is not trusted" in untrusted.told
    assert trusted.told.endswith("TLS, certificate trusted")


def test_a_broker_that_is_not_there_ends_with_its_code() -> None:
    ended = only(broker_cases, Config(mqtt=Mqtt(host="127.0.0.1", port=free_port())))

    assert (ended.passed, ended.exit_code) == (False, 6)
    assert "Connection refused" in ended.told
