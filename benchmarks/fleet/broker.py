"""One mosquitto for a fleet: it keeps sessions on disk, queues without a bound, and is asked about itself."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from benchmarks.fleet.limits import cpu_s, memory_mb, open_files
from tests.broker import free_port

START_S: Final = 60.0

SETTINGS: Final = (
    "persistence true",
    "persistence_location {folder}/",
    "max_queued_messages 0",
    "sys_interval 1",
    "log_type error",
    "log_type warning",
)
"""max_queued_messages: with the default of 1,000 a consumer that was away loses what a fleet has to say meanwhile."""

_COUNTS: Final = {
    "publish_received": "publish/messages/received",
    "bytes_received": "bytes/received",
}


class BrokerProcess:
    """A mosquitto on loopback whose process can be looked at."""

    def __init__(self, folder: Path) -> None:
        """Write its configuration."""
        self.port = free_port()
        self._log = folder / "mosquitto.log"
        self._config = folder / "mosquitto.conf"
        # As root mosquitto would become a user that cannot write into this folder.
        user = ["user root"] if os.geteuid() == 0 else []
        lines = [*user, f"listener {self.port} 127.0.0.1", "allow_anonymous true", *SETTINGS]
        self._config.write_text("\n".join(lines).format(folder=folder) + "\n", encoding="utf-8")
        self._process: subprocess.Popen[bytes] | None = None
        self._most_files = 0
        self._most_memory_mb = 0.0

    def start(self) -> None:
        """Start it and wait until it takes connections."""
        program = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
        with self._log.open("ab") as log:
            self._process = subprocess.Popen([program, "-c", str(self._config)], stdout=log, stderr=log)
        give_up_at = time.monotonic() + START_S
        while not self._listens():
            if time.monotonic() > give_up_at:
                raise TimeoutError(f"mosquitto does not listen: {self._log.read_text(encoding='utf-8')[-400:]}")
            time.sleep(0.01)

    def stop(self) -> None:
        """End it in good order: it writes its sessions and what waits in them to the disk."""
        if self._process is not None:
            self._look()
            self._process.terminate()
            self._process.wait(START_S)
            self._process = None

    def measure(self, told: Mapping[str, str]) -> dict[str, float]:
        """Take its processor time and counters; `told` is what it last published about itself, once a second."""
        self._look()
        now = {"at_s": time.monotonic(), "cpu_s": cpu_s(self._pid)}
        return now | {name: float(told.get(topic, "0")) for name, topic in _COUNTS.items()}

    def resources(self) -> dict[str, float]:
        """What it needed at most, as far as it was looked at."""
        self._look()
        return {"open_files": self._most_files, "memory_mb": self._most_memory_mb}

    def _look(self) -> None:
        self._most_files = max(self._most_files, open_files(self._pid))
        self._most_memory_mb = max(self._most_memory_mb, memory_mb(self._pid))

    @property
    def _pid(self) -> int:
        if self._process is None:
            raise RuntimeError("mosquitto is not running")
        return self._process.pid

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0
