"""The program as people start it, in a process of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(port: int, **settings: str) -> Iterator[int]:
    """Run `emotion-edge run --source demo --web PORT` until the block ends; settings such as POLICY__ENTER="0.99"."""
    environment = {**os.environ, **{f"EMOTION_EDGE_{name}": value for name, value in settings.items()}}
    command = [sys.executable, "-m", "edge_runtime", "run", "--source", "demo", "--web", str(port), "--quiet"]
    process = subprocess.Popen(
        command, env={**environment, "EMOTION_EDGE_DEVICE__ID": "kiosk-1"}, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stderr is not None
        lines = iter(process.stderr.readline, "")
        assert any(f":{port}/" in line for line in lines), "the server did not start"
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
    assert process.returncode == 0
