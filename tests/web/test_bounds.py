"""What one request may cost: bytes, seconds and a place, over real sockets."""

from __future__ import annotations

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from edge_runtime.web.handler import Handler
from edge_runtime.web.request_reader import LONGEST_REQUEST_BYTES
from tests.web.conftest import Running
from tests.web.test_server import PATIENCE_S, Serve, event, stream


def connected(running: Running) -> socket.socket:
    return socket.create_connection(("127.0.0.1", running.port), timeout=PATIENCE_S)


def test_a_request_that_comes_byte_by_byte_is_given_up_when_its_time_is_over(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Handler, "timeout", 1)
    running = serve()
    began_at = time.monotonic()

    with connected(running) as slow, suppress(ConnectionError):
        while time.monotonic() - began_at < PATIENCE_S:
            slow.sendall(b"G")  # each one within the time-out of a single read
            time.sleep(0.1)

    assert time.monotonic() - began_at < 4.0


def test_headers_without_end_are_refused_before_they_fill_the_memory(serve: Serve) -> None:
    running = serve()
    line = b"X: " + bytes(60_000).replace(b"\0", b"a") + b"\r\n"

    with connected(running) as asking:
        asking.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n" + line * (LONGEST_REQUEST_BYTES // len(line) + 1))
        answer = asking.recv(100)

    assert answer.startswith(b"HTTP/1.0 431 ")


def test_a_request_line_without_end_is_answered(serve: Serve) -> None:
    with connected(serve()) as asking:
        asking.sendall(b"GET /" + bytes(70_000).replace(b"\0", b"a"))

        assert b" 414 " in asking.recv(100)


def test_a_page_that_is_asked_for_on_six_connections_at_once_comes_whole_beside_all_streams(serve: Serve) -> None:
    running = serve(max_clients=4)
    streams = [stream(running, "/updates") for _ in range(2)]
    for answer in streams:
        event(answer, "hello")

    with ThreadPoolExecutor(6) as browser:
        answered = list(
            browser.map(running.ask, ["/", "/main.js", "/feed.js", "/words.js", "/page.css", "/icon.svg"] * 10)
        )

    assert {answer.status for answer in answered} == {200}


def test_a_thread_that_cannot_be_started_gives_its_place_back(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    running = serve(max_clients=4)

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        refused = [running.ask("/healthz").status for _ in range(4)]

    assert refused == [503] * 4
    assert "can't start new thread" in caplog.text
    assert running.ask("/healthz").status == 200
