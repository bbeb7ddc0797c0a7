"""A browser whose machine or network vanishes says no goodbye: a network of its own, whose cable is pulled."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_runtime.web import handler
from tests.broker import wait_until
from tests.web.conftest import serve
from tests.web.test_server import TOKEN, Serve

__all__ = ["serve"]

IP = shutil.which("ip") or ""
NETWORK = f"browser{os.getpid()}"
OURS, THEIRS = "198.51.100.1", "198.51.100.2"  # of a network for documentation, RFC 5737
LOOKS = """
import socket, sys, time
places = []
for path in sys.argv[2:]:
    places.append(socket.create_connection((sys.argv[1].split(":")[0], int(sys.argv[1].split(":")[1]))))
    head = f"GET {path} HTTP/1.1\\r\\nHost: " + sys.argv[1] + "\\r\\nAuthorization: Bearer TOKEN\\r\\n\\r\\n"
    places[-1].sendall(head.encode())
    assert places[-1].recv(15) == b"HTTP/1.0 200 OK"
print("looking", flush=True)
time.sleep(100)
"""


def ip(*words: str) -> None:
    subprocess.run([IP, *words], check=True, timeout=20, capture_output=True)


@pytest.fixture
def cable() -> Iterator[str]:
    """Lay a cable to a network of its own; return the name of its far end."""
    if os.geteuid() != 0 or not IP:
        pytest.skip("networks of its own are made by root with ip (apt install iproute2)")
    near, far = f"near{os.getpid()}", f"far{os.getpid()}"
    try:
        ip("netns", "add", NETWORK)
    except subprocess.CalledProcessError as error:
        pytest.skip(f"no network of its own here: {error.stderr.decode()}")
    try:
        ip("link", "add", near, "type", "veth", "peer", "name", far, "netns", NETWORK)
        ip("address", "add", f"{OURS}/30", "dev", near)
        ip("-n", NETWORK, "address", "add", f"{THEIRS}/30", "dev", far)
        ip("link", "set", near, "up")
        ip("-n", NETWORK, "link", "set", far, "up")
        yield far
    finally:
        ip("netns", "delete", NETWORK)


def test_places_of_a_browser_that_vanished_are_free_again(
    serve: Serve, cable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handler, "GONE_AFTER_S", 3)
    (tmp_path / "token").write_text(TOKEN)
    (tmp_path / "token").chmod(0o600)
    running = serve(host="0.0.0.0", token_file=str(tmp_path / "token"), max_clients=4)  # noqa: S104  with a token
    command = [IP, "netns", "exec", NETWORK, sys.executable, "-c", LOOKS.replace("TOKEN", TOKEN)]

    def is_full() -> bool:
        return running.ask("/updates", method="HEAD", Authorization=f"Bearer {TOKEN}").status == 503

    with subprocess.Popen(
        [*command, f"{OURS}:{running.port}", "/picture", "/updates"], stdout=subprocess.PIPE, text=True
    ) as browser:
        assert browser.stdout is not None
        assert browser.stdout.readline() == "looking\n"
        assert is_full()

        ip("-n", NETWORK, "link", "set", cable, "down")
        pulled_at = time.monotonic()
        wait_until(lambda: not is_full(), what="a place of a stream is free", timeout_s=15.0)
        browser.kill()

    assert time.monotonic() - pulled_at >= 1.0  # not because the browser said goodbye
