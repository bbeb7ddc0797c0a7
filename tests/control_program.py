"""The whole program as a child that runs until it is told to stop: demo, log, outbox and broker."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from tests.broker import Listener, Mosquitto, Received, wait_until
from tests.source_tree import ROOT

BASE = "emotion_edge/kiosk-1"
TIMEOUT_S = 60.0

# A page that nobody looks at makes the demo run at its own pace and begin again at its end.
SETTINGS: dict[str, dict[str, Any]] = {
    "device": {"id": "kiosk-1"},
    "deployment": {"context": "private"},
    "source": {"uri": "demo"},
    "web": {"enabled": True, "port": 0},
    "console": {"enabled": False},
    "observations": {"rate_hz": 5.0},
}


@dataclass
class Program:
    """A folder with configuration and log, the broker, and what it has told so far."""

    folder: Path
    broker: Mosquitto
    listener: Listener
    settings: dict[str, dict[str, Any]] = field(default_factory=lambda: json.loads(json.dumps(SETTINGS)))
    process: subprocess.Popen[str] | None = None
    kept: list[Received] = field(default_factory=list)
    """Messages that nobody has asked for yet."""

    def __post_init__(self) -> None:
        """Point everything into the folder and to the broker."""
        commands = ["pause", "resume", "reload", "selftest"]
        self.settings["mqtt"] = {"host": "127.0.0.1", "port": self.broker.port, "commands": commands}
        self.settings["log"] = {"file": str(self.folder / "events.jsonl")}
        self.settings["outbox"] = {"path": str(self.folder / "outbox.db"), "commit_ms": 20}
        self.write_settings()

    def arrived(self) -> list[Received]:
        """Return every message that nobody has asked for yet."""
        self.kept += self.listener.drain()
        return self.kept

    @property
    def config(self) -> Path:
        return self.folder / "config.toml"

    @property
    def errors(self) -> str:
        """Standard error so far."""
        return (self.folder / "stderr").read_text()

    def write_settings(self, more: str = "") -> None:
        """Write the configuration; `more` is text behind it."""
        tables = [
            f"[{name}]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in table.items())
            for name, table in self.settings.items()
        ]
        self.config.write_text("\n".join(tables) + more, encoding="utf-8")

    def command_line(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "edge_runtime", "run", "--config", str(self.config), *arguments]

    def signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def ask(self, name: str, **payload: object) -> dict[str, Any]:
        """Send a command and wait for its result."""
        self.listener.say(f"{BASE}/cmd/{name}", json.dumps(payload).encode() if payload else b"")
        result: dict[str, Any] = msgspec.json.decode(self._next(f"/cmd/{name}/result"))
        return result

    def status(self, state: str, camera: str = "running", *, because: str = "") -> dict[str, Any]:
        """Wait for a status."""
        while True:
            status: dict[str, Any] = msgspec.json.decode(self._next("/status"))
            if (status["state"], status["camera"]) == (state, camera) and because in "; ".join(status["reasons"]):
                return status

    def log_lines(self, name: str = "events.jsonl") -> list[dict[str, Any]]:
        """Read a log file."""
        return [json.loads(line) for line in (self.folder / name).read_text().splitlines()]

    def events(self, name: str = "events.jsonl") -> list[dict[str, Any]]:
        """Read the events of a log file."""
        return [line for line in self.log_lines(name) if "event_type" in line]

    def end(self) -> float:
        """Stop it; seconds that it took."""
        assert self.process is not None
        begun = time.monotonic()
        self.signal(signal.SIGTERM)
        self.process.wait(timeout=TIMEOUT_S)
        return time.monotonic() - begun

    def _next(self, last_levels: str) -> bytes:
        """Wait for a message; what comes before it stays for later questions."""
        while True:
            for position, found in enumerate(self.kept):
                if found.topic.endswith(last_levels):
                    return self.kept.pop(position).payload
            self.kept.append(self.listener.next())


@contextmanager
def running(folder: Path, broker: Mosquitto, **environment: str) -> Iterator[Program]:
    """Start it and wait until it reads frames; it is killed if it still runs at the end."""
    with Listener(broker.port, f"{BASE}/#") as listener:
        program = Program(folder, broker, listener)
        with start(program, **environment):
            program.status("running")
            yield program


@contextmanager
def start(program: Program, *arguments: str, **environment: str) -> Iterator[Program]:
    """Start it; it is killed if it still runs at the end."""
    with (
        (program.folder / "stderr").open("a") as errors,
        subprocess.Popen(
            program.command_line(*arguments),
            cwd=program.folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
            stderr=errors,
            stdout=subprocess.DEVNULL,
            text=True,
        ) as program.process,
    ):
        try:
            yield program
        finally:
            if program.process.poll() is None:
                program.process.kill()


def unended(events: list[dict[str, Any]]) -> list[str]:
    """Say what began and did not end exactly once."""
    counts = Counter(event["event_type"] for event in events)
    pairs = (("face_appeared", "face_lost"), ("emotion_started", "emotion_ended"))
    return [f"{counts[begin]} {begin}, {counts[end]} {end}" for begin, end in pairs if counts[begin] != counts[end]]


def wait_for_event(program: Program, kind: str) -> None:
    """Wait until the log holds an event of a type."""
    wait_until(lambda: any(event["event_type"] == kind for event in program.events()), what=kind, timeout_s=TIMEOUT_S)
