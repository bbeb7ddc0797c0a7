"""What HTTP asks of every server, over real sockets: methods, and answers that carry no content."""

from __future__ import annotations

import socket

import pytest

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
