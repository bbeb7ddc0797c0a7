"""The whole program as a service runs it: `emotion-edge run` with a log file, an outbox and a real broker."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import msgspec

from benchmarks.environment import ROOT
from edge_runtime.outbox.inspection import summary
from edge_runtime.sources.demo import Demo
from tests.broker import Listener, Mosquitto

TIMEOUT_S: Final = 120.0
CLIP_LOOPS: Final = 6
CLIP_SIZE: Final = (320, 240)
DEVICE: Final = "kiosk-1"

EAGER: Final = """\
policy = { enter = 0.3, exit = 0.3, window_s = 0.0, min_frames = 1, min_time_s = 0.0, hold_s = 0.0 }
"""
"""Labels come and go as fast as they can, so that there is always an event on its way."""

CONFIG: Final = """\
config_version = 1
device = {{ id = "{device}" }}
deployment = {{ context = "private" }}
source = {{ uri = "{folder}/clip.avi" }}
observations = {{ rate_hz = "all" }}
console = {{ format = "json" }}
log = {{ file = "{folder}/events.jsonl", max_mb = 1000.0 }}
mqtt = {{ host = "127.0.0.1", port = {port} }}
outbox = {{ path = "{folder}/outbox.db", commit_ms = 10, send_per_s = 10000.0 }}
"""

EventKey = tuple[str, int]
"""boot_id and seq."""


@dataclass(frozen=True)
class Place:
    """A folder with configuration, clip, log and outbox, and the broker that listens to the program."""

    folder: Path
    listener: Listener

    @property
    def log(self) -> Path:
        """The log file."""
        return self.folder / "events.jsonl"

    @property
    def outbox(self) -> Path:
        """The outbox's file."""
        return self.folder / "outbox.db"

    def delivered(self) -> dict[EventKey, bytes]:
        """Return the events that arrived since the last call."""
        found = [message.payload for message in self.listener.drain() if message.topic.endswith("/event")]
        return {key_of(payload): payload for payload in found}

    def stored(self) -> dict[EventKey, bytes]:
        """Return what a new start would find in the outbox; reading changes nothing."""
        database = sqlite3.connect(f"{self.outbox.as_uri()}?mode=ro", uri=True, timeout=30.0)
        try:
            rows = database.execute("SELECT payload FROM outbox ORDER BY seq").fetchall()
        finally:
            database.close()
        return {key_of(payload): payload for (payload,) in rows}

    def empty_the_outbox(self) -> None:
        """Start the program until everything that waited is delivered."""
        give_up_at = time.monotonic() + TIMEOUT_S
        while summary(self.outbox).waiting:
            if time.monotonic() > give_up_at:
                raise SystemExit(f"{summary(self.outbox).waiting} events were not delivered within {TIMEOUT_S:.0f} s")
            with running(self, "--max-frames", "30") as program:
                program.communicate(timeout=TIMEOUT_S)


@contextmanager
def place(folder: Path, settings: str = EAGER) -> Iterator[Place]:
    """Make a folder of its own and start a broker; `settings` are further lines of the configuration."""
    folder.mkdir()
    write_clip(folder / "clip.avi")
    broker = Mosquitto(folder, "max_queued_messages 0", "max_inflight_messages 0")
    broker.start()
    text = CONFIG.format(folder=folder, port=broker.port, device=DEVICE)
    (folder / "config.toml").write_text(text + settings, encoding="utf-8")
    try:
        with Listener(broker.port, f"emotion_edge/{DEVICE}/#") as listener:
            yield Place(folder, listener)
    finally:
        broker.stop()


@contextmanager
def running(where: Place, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """Start the program; it is killed if it still runs at the end."""
    command = [sys.executable, "-m", "edge_runtime", "run", "--config", str(where.folder / "config.toml"), *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with (
        (where.folder / "stderr").open("ab") as errors,
        subprocess.Popen(command, cwd=where.folder, env=environment, stdout=subprocess.PIPE, stderr=errors) as program,
    ):
        try:
            yield program
        finally:
            if program.poll() is None:
                program.send_signal(signal.SIGKILL)


def wait_for_event(where: Place, program: subprocess.Popen[bytes]) -> None:
    """Wait for the first event on standard output."""
    if program.stdout is None or not program.stdout.readline():
        said = (where.folder / "stderr").read_text(encoding="utf-8")[-1000:]
        raise SystemExit(f"the program ended without an event, exit code {program.wait(TIMEOUT_S)}: {said}")


def cpu_s(program: subprocess.Popen[bytes]) -> float:
    """Return the seconds that all its threads have computed so far."""
    # The name in brackets may hold spaces; utime and stime are fields 14 and 15 of the line.
    fields = Path(f"/proc/{program.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def write_clip(path: Path) -> None:
    """Write some loops of the demo as a video: a file has no pace, so events come as fast as the machine can."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 25.0, CLIP_SIZE)
    with Demo() as demo:
        frames = [cv2.resize(frame.pixels, CLIP_SIZE, interpolation=cv2.INTER_AREA) for frame in demo.frames()]
    for _ in range(CLIP_LOOPS):
        for pixels in frames:
            writer.write(cv2.cvtColor(pixels, cv2.COLOR_GRAY2BGR))
    writer.release()


def key_of(payload: bytes | dict[str, Any]) -> EventKey:
    """Tell one event from all others."""
    fields = msgspec.json.decode(payload) if isinstance(payload, bytes) else payload
    return fields["boot_id"], fields["seq"]
