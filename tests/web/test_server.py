"""The server over real sockets: answers, refusals, streams, bounds, and its end."""

from __future__ import annotations

import http.client
import json
import logging
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from edge_runtime.errors import WebError
from edge_runtime.web.handler import HEADERS
from edge_runtime.web.pulse import STALLED_AFTER_S
from tests.web.conftest import Running, face

Serve = Callable[..., Running]
TOKEN = "0123456789abcdef" * 2
PATIENCE_S = 10.0


def stream(running: Running, path: str) -> http.client.HTTPResponse:
    """Begin to read an endless answer."""
    connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=PATIENCE_S)
    connection.request("GET", path)
    return connection.getresponse()


def event(answer: http.client.HTTPResponse, name: str) -> dict[str, object]:
    """Read server-sent events until one of a name comes."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if answer.readline().strip() == f"event: {name}".encode():
            found: dict[str, object] = json.loads(answer.readline().removeprefix(b"data: "))
            return found
    pytest.fail(f"no {name} within {PATIENCE_S:g} s")


def test_the_page_and_its_files_come_from_the_package_with_every_guard_header(serve: Serve) -> None:
    running = serve()

    for path in ("/", "/main.js", "/page.css", "/icon.svg"):
        answered = running.ask(path)

        assert answered.status == 200
        assert answered.body
        assert HEADERS.items() <= answered.headers.items()
        assert not [name for name in answered.headers if name.lower().startswith("access-control")]


def test_the_page_names_no_address_outside_itself(serve: Serve) -> None:
    running = serve()
    page = running.ask("/").body

    assert b"//" not in page.replace(b"<!--", b"")
    assert b"style=" not in page
    assert b"<script>" not in page


@pytest.mark.parametrize("path", ["/nothing", "/../../etc/passwd", "/%2e%2e/settings.py", "/index.html/", "/static/"])
def test_everything_else_is_not_there(path: str, serve: Serve) -> None:
    assert serve().ask(path).status == 404


@pytest.mark.parametrize("method", ["PUT", "OPTIONS", "TRACE", "DELETE"])
def test_other_methods_are_refused_with_the_guard_headers(method: str, serve: Serve) -> None:
    answered = serve().ask("/", method=method, Origin="http://evil.example")

    assert answered.status == 501
    assert HEADERS.items() <= answered.headers.items()


@pytest.mark.parametrize("path", ["/", "/updates", "/picture", "/metrics", "/healthz"])
def test_foreign_host_is_refused_everywhere(path: str, serve: Serve) -> None:
    assert serve().ask(path, Host="evil.example").status == 421


@pytest.mark.parametrize("path", ["/updates", "/picture", "/metrics"])
def test_foreign_origin_is_refused(path: str, serve: Serve) -> None:
    assert serve().ask(path, Origin="http://evil.example").status == 403


def test_token_in_the_address_becomes_a_cookie_once(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(TOKEN, encoding="ascii")
    running = serve(token_file=str(tmp_path / "token"))

    refused = running.ask("/")
    swapped = running.ask(f"/?kiosk&token={TOKEN}")
    cookie = swapped.headers["Set-Cookie"].partition(";")[0]
    shown = running.ask("/", Cookie=cookie)

    assert refused.status == 401
    assert refused.headers["WWW-Authenticate"].startswith("Bearer ")  # RFC 9110, 15.5.2: there must be one
    assert "WWW-Authenticate" not in running.ask("/", Host="evil.example").headers
    assert (swapped.status, swapped.headers["Location"]) == (303, "/?kiosk")
    assert shown.status == 200
    assert running.ask("/healthz").status == 200


def test_health_follows_the_frame_loop(serve: Serve) -> None:
    running = serve()

    healthy = running.ask("/healthz")
    running.clock.advance(STALLED_AFTER_S + 1)
    stalled = running.ask("/healthz")
    running.parts.pulse.alive()

    assert (healthy.status, healthy.body) == (200, b"ok\n")
    assert stalled.status == 503
    assert running.ask("/healthz").status == 200


def test_ready_means_that_frames_are_processed_now(serve: Serve) -> None:
    running = serve()

    starting = running.ask("/readyz")
    running.run()
    without_frames = running.ask("/readyz")
    for _ in range(3):
        running.clock.advance(0.1)
        running.show()
    ready = running.ask("/readyz")

    assert (starting.status, without_frames.status, ready.status) == (503, 503, 200)
    assert b"starting" in starting.body


def test_updates_begin_with_hello_and_follow_the_frames(serve: Serve) -> None:
    running = serve()
    answer = stream(running, "/updates")

    hello = event(answer, "hello")
    running.show(face())
    seen = event(answer, "seen")

    assert hello["labels"] == ["angry", "disgust", "sad", "happy", "surprise"]
    assert seen["faces"]


def test_picture_is_a_stream_of_jpegs(serve: Serve) -> None:
    running = serve()
    answer = stream(running, "/picture")
    answer.readline()

    running.show()
    head = [answer.readline() for _ in range(3)]
    start = answer.read(2)

    assert head[0] == b"Content-Type: image/jpeg\r\n"
    assert start == b"\xff\xd8"


def test_without_picture_there_is_no_stream(serve: Serve) -> None:
    assert serve(picture=False).ask("/picture").status == 404


def test_without_page_there_is_health_and_nothing_to_look_at(serve: Serve) -> None:
    running = serve(page=False)

    assert [running.ask(path).status for path in ("/", "/updates", "/picture")] == [404, 404, 404]
    assert running.ask("/healthz").status == 200


def test_a_client_that_does_not_read_delays_nobody(serve: Serve) -> None:
    running = serve()
    asleep = socket.create_connection(("127.0.0.1", running.port), timeout=PATIENCE_S)
    asleep.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    asleep.sendall(b"GET /picture HTTP/1.0\r\nHost: localhost\r\n\r\n")
    awake = stream(running, "/updates")
    event(awake, "hello")

    slowest_s = 0.0
    for _ in range(500):
        begun = time.perf_counter()
        running.show(face())
        slowest_s = max(slowest_s, time.perf_counter() - begun)
    seen = event(awake, "seen")

    asleep.close()
    assert seen["faces"]
    assert slowest_s < 0.25  # the machine's own hiccups; a blocked send would take the time-out of 10 s


def test_streams_leave_room_for_health(serve: Serve) -> None:
    running = serve(max_clients=4)
    first, second = stream(running, "/updates"), stream(running, "/updates")
    event(first, "hello")
    event(second, "hello")

    third = running.ask("/updates")

    assert third.status == 503
    assert running.ask("/healthz").status == 200


def test_a_browser_that_hangs_up_gives_its_place_back(serve: Serve) -> None:
    running = serve(max_clients=4)
    streams = [stream(running, "/picture") for _ in range(2)]
    for answer in streams:
        answer.close()

    deadline = time.monotonic() + PATIENCE_S
    while (refused := stream(running, "/picture")).status == 503 and time.monotonic() < deadline:
        refused.close()

    assert refused.status == 200


def test_closing_ends_every_stream_and_thread(serve: Serve) -> None:
    running = serve()
    answer = stream(running, "/updates")
    event(answer, "hello")
    before = time.monotonic()

    running.parts.server.__exit__(None, None, None)

    assert time.monotonic() - before < 4.0
    assert answer.read()[-1:] in {b"", b"\n"}
    assert not [thread for thread in threading.enumerate() if "process_request" in thread.name]


def test_a_port_in_use_is_named_with_a_remedy(serve: Serve) -> None:
    first = serve()

    with pytest.raises(WebError, match=rf"port {first.port} .*web\.port"):
        serve(port=first.port)


@pytest.mark.parametrize("body", [b"", b"{}", b"[1]", b'{"agreed": 1}', b'{"agreed": true, "x": 1}', b"\xff"])
def test_a_garbled_answer_changes_nothing(body: bytes, serve: Serve) -> None:
    running = serve(consent_gate=True)

    answered = running.ask("/consent", method="POST", body=body, Origin=f"http://127.0.0.1:{running.port}")

    assert answered.status == 400
    assert not running.parts.display.consents()


def test_a_long_answer_is_not_read(serve: Serve) -> None:
    running = serve(consent_gate=True)

    answered = running.ask("/consent", method="POST", body=b"x" * 1000, Origin=f"http://127.0.0.1:{running.port}")

    assert answered.status == 413


@pytest.mark.parametrize("length", ["\u00b2", "-1", "", "9" * 5000])
def test_a_length_that_is_no_small_number_is_answered(
    length: str, serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    running = serve(consent_gate=True)
    here = f"127.0.0.1:{running.port}"
    head = f"POST /consent HTTP/1.1\r\nHost: {here}\r\nOrigin: http://{here}\r\nContent-Length: {length}\r\n\r\n"

    with socket.create_connection(("127.0.0.1", running.port), timeout=PATIENCE_S) as asking:
        asking.sendall(head.encode("latin-1"))
        answer = asking.recv(100)

    assert answer.startswith(b"HTTP/1.0 413 ")
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


def test_consent_is_given_and_taken_back_on_the_page_only(serve: Serve) -> None:
    running = serve(consent_gate=True)

    foreign = running.agree(agreed=True, origin="http://evil.example")
    closed = running.parts.display.consents()
    running.agree(agreed=True)
    opened = running.parts.display.consents()
    running.agree(agreed=False)

    assert foreign.status == 403
    assert (closed, opened, running.parts.display.consents()) == (False, True, False)


@pytest.mark.parametrize("path", ["/metrics", "/readyz", "/healthz", "/nothing"])
def test_a_token_in_the_address_is_swapped_for_a_cookie_on_the_page_alone(
    path: str, serve: Serve, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text(TOKEN, encoding="ascii")
    running = serve(token_file=str(tmp_path / "token"))

    answered = running.ask(f"{path}?token={TOKEN}")

    assert answered.status != 303
    assert "Set-Cookie" not in answered.headers
    assert running.ask(f"/?token={TOKEN}").status == 303


@pytest.mark.parametrize("path", ["http://[", "//["])
def test_an_address_that_is_none_is_not_there(path: str, serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    running = serve()

    assert running.ask(path, Host=f"127.0.0.1:{running.port}").status == 404
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
