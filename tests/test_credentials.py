from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from edge_runtime.credentials import secret_path
from edge_runtime.errors import ConfigError, SinkError
from edge_runtime.settings import Mqtt
from edge_runtime.sinks.mqtt.options import Options
from tests.source_tree import ROOT


def test_a_path_stays_a_path() -> None:
    assert secret_path("/etc/secret", key="mqtt.password_file", environment={}) == Path("/etc/secret")


def test_a_credential_is_a_file_that_systemd_gave() -> None:
    found = secret_path("credential:mqtt", key="k", environment={"CREDENTIALS_DIRECTORY": "/run/credentials/e.service"})

    assert found == Path("/run/credentials/e.service/mqtt")


@pytest.mark.parametrize("name", ["", ".", "..", "../shadow", "a/b", "/etc/shadow"])
def test_a_name_that_leads_elsewhere_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=r"mqtt\.password_file = 'credential:.*expected credential:NAME"):
        secret_path(f"credential:{name}", key="mqtt.password_file", environment={"CREDENTIALS_DIRECTORY": "/run"})


def test_without_systemd_the_remedy_is_told() -> None:
    with pytest.raises(ConfigError, match="LoadCredential=mqtt:FILE"):
        secret_path("credential:mqtt", key="mqtt.password_file", environment={})


def test_the_mqtt_password_may_be_a_credential(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mqtt-password").write_text("s3cret\n")
    (tmp_path / "mqtt-password").chmod(0o600)
    file = "credential:mqtt-password"
    options = Options(Mqtt(host="localhost", username="kiosk-1", password_file=file), "kiosk-1")

    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    password = options.password()
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "other"))

    assert password == "s3cret"  # noqa: S105
    with pytest.raises(SinkError, match="cannot read the MQTT password"):
        options.password()


def test_a_program_that_reads_faces_leaves_no_core() -> None:
    told = (
        "import pathlib, resource\n"
        "from edge_runtime.cli.run import forbid_core_dumps\n"
        "forbid_core_dumps()\n"
        "print(resource.getrlimit(resource.RLIMIT_CORE)[0], int(open('/proc/self/coredump_filter').read(), 16))\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", told], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )

    assert done.stdout.split() == ["0", "0"]


@pytest.mark.skipif(
    Path("/proc/sys/kernel/core_pattern").read_text().strip() != "core" or os.geteuid() != 0,
    reason="core files do not go to the working folder here, or the limit cannot be raised again",
)
def test_even_a_core_that_is_forced_holds_no_memory(tmp_path: Path) -> None:
    told = (
        "import os, resource, signal, sys\n"
        f"sys.path.insert(0, {str(ROOT)!r})\n"
        "from edge_runtime.cli.run import forbid_core_dumps\n"
        "open('/proc/self/coredump_filter', 'w').write('0x33')\n"  # the kernel's own; a test before may have changed it
        "canary = bytearray(b'canary ' + str(7 ** 400).encode()) * 1000\n"
        "if sys.argv[1] == 'forbid': forbid_core_dumps()\n"
        "hard = resource.getrlimit(resource.RLIMIT_CORE)[1]\n"
        "resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))\n"
        "os.kill(os.getpid(), signal.SIGSEGV)\n"
    )
    canary = b"canary " + str(7**400).encode()

    found = {}
    for way in ("allow", "forbid"):
        folder = tmp_path / way
        folder.mkdir()
        subprocess.run([sys.executable, "-c", told, way], cwd=folder, timeout=60, check=False)
        found[way] = any(canary in core.read_bytes() for core in folder.glob("core*"))

    assert found == {"allow": True, "forbid": False}
