"""What HTTP asks of every server, over real sockets: methods, and answers that carry no content."""

from __future__ import annotations

import http.client
import socket

import pytest

from edge_runtime.web.handler import HEADERS
from tests.web.test_server import PATIENCE_S, Serve, stream


@pytest.mark.parametrize("path", ["/", "/healthz", "/readyz", "/updates", "/picture", "/nothing"])
def test_head_is_answered_as_get_without_content(path: str, serve: Serve) -> None:
    running = serve()
    whole = stream(running, path)

    with socket.create_connection(("127.0.0.1", running.port), timeout=PATIENCE_S) as asking:
        asking.sendall(f"HEAD {path} HTTP/1.1\r\nHost: 127.0.0.1:{running.port}\r\n\r\n".encode())
        head, _, content = b"".join(iter(lambda: asking.recv(65536), b"")).partition(b"\r\n\r\n")

    assert head.startswith(f"HTTP/1.0 {whole.status} ".encode())
    names = {line.partition(b":")[0].decode() for line in head.splitlines()[1:]}
    assert names == {name for name, _ in whole.getheaders()}
    assert content == b""


def test_one_connection_too_many_is_told_to_come_back_with_the_guard_headers(serve: Serve) -> None:
    running = serve(max_clients=4)
    places = [socket.create_connection(("127.0.0.1", running.port), timeout=PATIENCE_S) for _ in range(4)]

    fifth = socket.create_connection(("127.0.0.1", running.port), timeout=PATIENCE_S)
    answer = http.client.HTTPResponse(fifth)
    answer.begin()

    assert (answer.status, answer.read()) == (503, b"too many connections\n")
    assert {("Retry-After", "2"), *HEADERS.items()} <= set(answer.getheaders())
    for place in (*places, fifth):
        place.close()
