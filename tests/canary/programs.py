"""Runs everything the program can do on the recognisable frames, in folders of its own; keeps every byte it sends."""

from __future__ import annotations

import contextlib
import http.client
import os
import resource
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.broker import free_port
from tests.canary.tap import Tap
from tests.source_tree import ROOT

PATIENCE_S: Final = 120.0
FPS: Final = 10
"""Rate of the pictures: slow enough for a page to be looked at while they are read."""

PAGES: Final = ("/", "/feed.js", "/healthz", "/readyz", "/metrics", "/nothing?token=x", "/updates")
VERBS: Final[Mapping[str, tuple[str, ...]]] = {
    "record": ("record", "--source", "{pictures}", "--max-frames", "20", "seen.jsonl"),
    "replay": ("replay", "seen.jsonl"),
    "tune": ("tune", "seen.jsonl"),
    "selftest": ("selftest", "--source", "{pictures}", "--seconds", "1", "--junit", "selftest.xml"),
    "check": ("check", "--source", "{pictures}"),
    "bench": ("bench", "--source", "{pictures}", "--frames", "5"),
    "outbox": ("outbox", "show", "--path", "outbox.db"),
    "config": ("config", "show"),
    "model": ("model", "list"),
    "version": ("version",),
}
"""What is run beside `run` itself. `annotate` is left out: it writes pictures, because it was asked for just that."""


@dataclass
class Traces:
    """What a program left: files below a folder, and bytes on wires."""

    folder: Path
    wires: dict[str, bytes] = field(default_factory=dict)
    """Name of the wire: everything that passed."""
    exit_codes: dict[str, int] = field(default_factory=dict)
    pictures_shown: bytes = b""
    """What the live picture of the page sent, when it was asked for: the one place where pixels may be."""

    def files(self) -> list[Path]:
        """List every file, with those that are hidden."""
        return sorted(path for path in self.folder.rglob("*") if path.is_file() and not path.is_symlink())


class Surrounded:
    """A home, a temporary folder and a working folder of a program's own, on a machine where core dumps are allowed."""

    def __init__(self, folder: Path, pictures: Path) -> None:
        """Make the folders; `pictures` lies outside of them."""
        self.traces = Traces(folder)
        self._pictures = pictures
        self._notices = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        # Outside of what is searched, and short: the kernel takes 107 characters.
        self._notify = Path(tempfile.mkdtemp(prefix="canary-")) / "notify"
        self._notices.bind(str(self._notify))
        for name in ("home", "tmp", "work"):
            (folder / name).mkdir(parents=True)

    def close(self) -> None:
        """Take what was said to the service manager; remove its socket."""
        self._notices.setblocking(False)  # noqa: FBT003  no keyword in the standard library
        said = bytearray()
        with contextlib.suppress(BlockingIOError):
            while True:
                said += self._notices.recv(65536) + b"\n"
        self.traces.wires["service manager"] = bytes(said)
        self._notices.close()
        self._notify.unlink()
        self._notify.parent.rmdir()

    def run_verb(self, name: str) -> None:
        """Run one verb to its end."""
        words = [word.format(pictures=self._pictures) for word in VERBS[name]]
        with self._start(name, words) as program:
            self.traces.exit_codes[name] = program.wait(timeout=PATIENCE_S)

    def run_service(self, broker_port: int) -> None:
        """Run with log, console, outbox, broker and page, all of which are looked at; stopped by SIGTERM."""
        with Tap(broker_port) as mqtt, self._service("run", mqtt.port) as (program, port):
            for page in PAGES:
                self.traces.wires[f"page {page}"] = fetch(port, page)
            self.traces.wires["page /consent"] = fetch(port, "/consent", body=b'{"agreed": true}')
            self.traces.pictures_shown = fetch(port, "/picture")
            program.send_signal(signal.SIGTERM)
            self.traces.exit_codes["run"] = program.wait(timeout=PATIENCE_S)
        self.traces.wires["broker"] = bytes(mqtt.passed)

    def crash_service(self, number: signal.Signals) -> None:
        """Run, and let it die of a signal of which a core dump is made where it may."""
        name = f"run, {number.name}"
        with self._service(name, None) as (program, port):
            fetch(port, "/readyz")
            program.send_signal(number)
            self.traces.exit_codes[name] = program.wait(timeout=PATIENCE_S)

    @contextlib.contextmanager
    def _service(self, name: str, mqtt_port: int | None) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
        port = free_port()
        words = ["run", "--source", str(self._pictures), "--log-file", "events.jsonl", "--format", "json"]
        words += ["--web", str(port), *([] if mqtt_port is None else ["--mqtt", f"127.0.0.1:{mqtt_port}"])]
        with self._start(name, words) as program:
            try:
                wait_for_page(port, program)
                yield program, port
            finally:
                program.kill()

    def _start(self, name: str, words: list[str]) -> subprocess.Popen[bytes]:
        folder = self.traces.folder
        slug = name.replace(", ", "-")
        with (folder / f"{slug}.stdout").open("wb") as out, (folder / f"{slug}.stderr").open("wb") as err:
            return subprocess.Popen(
                [sys.executable, "-B", "-m", "edge_runtime", *words],
                cwd=folder / "work",
                env=self._environment(),
                stdout=out,
                stderr=err,
                preexec_fn=allow_core_dumps,  # noqa: PLW1509  the tests that call this start no thread in between
            )

    def _environment(self) -> dict[str, str]:
        folder = self.traces.folder
        places = dict.fromkeys(("TMPDIR", "TMP", "TEMP"), str(folder / "tmp"))
        settings = {
            "OUTBOX__PATH": "outbox.db",
            "OBSERVATIONS__RATE_HZ": "all",
            "SOURCE__FPS": str(FPS),
            "DEVICE__ID": "canary",
            "SERVICE__LOG_LEVEL": "debug",
        }
        return {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
            "HOME": str(folder / "home"),
            "NOTIFY_SOCKET": str(self._notify),
            **places,
            **{f"EMOTION_EDGE_{name}": value for name, value in settings.items()},
        }


def allow_core_dumps() -> None:
    """Do what `ulimit -c unlimited` does."""
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))


def wait_for_page(port: int, program: subprocess.Popen[bytes]) -> None:
    """Wait until the program answers and has read frames."""
    give_up_at = time.monotonic() + PATIENCE_S
    while b"ready\n" not in fetch(port, "/readyz"):
        assert program.poll() is None, f"the program ended with {program.returncode}"
        assert time.monotonic() < give_up_at, "the page is not ready"
        time.sleep(0.05)


def fetch(port: int, path: str, *, body: bytes | None = None, seconds: float = 1.0) -> bytes:
    """Return an answer with its headers; of a stream what comes within some seconds; nothing when nobody listens."""
    received = bytearray()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10.0)
    with contextlib.suppress(OSError, http.client.HTTPException), contextlib.closing(connection):
        headers = {} if body is None else {"Origin": f"http://127.0.0.1:{port}", "Content-Type": "application/json"}
        connection.request("GET" if body is None else "POST", path, body, headers)
        answer = connection.getresponse()
        received += str(answer.headers).encode()
        give_up_at = time.monotonic() + seconds
        while time.monotonic() < give_up_at and (data := answer.read1(65536)):
            received += data
    return bytes(received)
