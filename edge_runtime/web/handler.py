"""One connection: check who asks, answer from memory. No request ever names a file."""

from __future__ import annotations

import io
import logging
import re
import select
import socket
from collections.abc import Iterator
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlsplit

import msgspec

from edge_runtime.web.guard import Request
from edge_runtime.web.metrics import CONTENT_TYPE as METRICS_TYPE
from edge_runtime.web.metrics import MetricsMissingError
from edge_runtime.web.request_reader import RequestReader
from edge_runtime.web.site import Site
from edge_runtime.web.streams import BOUNDARY, pictures, updates

if TYPE_CHECKING:
    from edge_runtime.web.server import BoundedServer

logger = logging.getLogger(__name__)

PLAIN: Final = "text/plain; charset=utf-8"
LONGEST_BODY: Final = 256
SHORT_LENGTH: Final = re.compile(r"[0-9]{1,4}")
"""A Content-Length that int() takes: it refuses ², which isdigit() takes, and thousands of digits."""
SEND_BUFFER_BYTES: Final = 65_536
"""Room for two or three pictures: what a slow browser has not read yet is old, so the kernel must not hoard it."""
GONE_AFTER_S: Final = 15
"""A browser whose machine or network vanished says nothing; its place is another's after this time."""

HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cache-Control": "no-store",
}
"""On every answer. No Access-Control header is among them: no other site may read anything."""


CHALLENGE: Final = {"WWW-Authenticate": 'Bearer realm="emotion-edge"'}
"""What an answer 401 has to name: how to say who asks. Source: RFC 9110, section 15.5.2, and RFC 6750."""


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the consent button sends."""

    agreed: bool


class Handler(BaseHTTPRequestHandler):
    """Answers one request and closes."""

    server: BoundedServer
    timeout = 10
    """Seconds a client may take to send its whole request, or to take what it was sent."""

    def setup(self) -> None:
        """Bound the request, keep the kernel's queue short, and notice a machine that vanished."""
        super().setup()
        self.rfile.close()
        self.rfile = io.BufferedReader(RequestReader(self.connection, patience_s=self.timeout))
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in (
            (socket.TCP_NODELAY, 1),
            (socket.TCP_KEEPIDLE, GONE_AFTER_S // 3),  # of a stream that has nothing to send
            (socket.TCP_KEEPINTVL, GONE_AFTER_S // 3),
            (socket.TCP_USER_TIMEOUT, GONE_AFTER_S * 1000),  # of what was sent and nobody acknowledges
        ):
            self.connection.setsockopt(socket.IPPROTO_TCP, option, value)

    @property
    def _site(self) -> Site:
        return self.server.site

    def do_GET(self) -> None:
        """Answer a GET."""
        path, given_token = self._asked()
        if not self._may("GET", path, given_token):
            return
        if path in self._site.statics and self._site.settings.page:
            if given_token and self._site.guard.knows(given_token):
                self._keep_token(path)
            else:
                self._send(HTTPStatus.OK, *self._site.statics[path])
        elif path in {"/healthz", "/readyz", "/metrics"}:
            {"/healthz": self._health, "/readyz": self._readiness, "/metrics": self._metrics}[path]()
        elif path == "/updates" and self._site.settings.page:
            self._stream("text/event-stream; charset=utf-8", updates(self._site))
        elif path == "/picture" and self._site.settings.page and self._site.settings.picture:
            self._stream(f"multipart/x-mixed-replace; boundary={BOUNDARY}", pictures(self._site))
        else:
            self._say(HTTPStatus.NOT_FOUND, "no such page")

    def do_HEAD(self) -> None:
        """Answer as a GET, without the content. Source: RFC 9110, section 9.3.2."""
        self.do_GET()

    def do_POST(self) -> None:
        """Take a person's answer."""
        path, _ = self._asked()
        if not self._may("POST", path, ""):
            return
        length = self.headers.get("Content-Length", "")
        if path != "/consent" or not self._site.display.gate.needed:
            self._say(HTTPStatus.NOT_FOUND, "no such page")
        elif not SHORT_LENGTH.fullmatch(length) or int(length) > LONGEST_BODY:
            self._say(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"expected at most {LONGEST_BODY} bytes")
        else:
            self._take_answer(self.rfile.read(int(length)))

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse what is no request, or of another method, with the same headers as everything."""
        del message, explain
        self._say(HTTPStatus(code), HTTPStatus(code).phrase)

    def version_string(self) -> str:
        """Say no more than needed: who may not look must not learn versions."""
        return "emotion-edge"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002, ANN401  the base class's names
        """Keep requests out of the journal, and tokens out of every log."""

    def _asked(self) -> tuple[str, str]:
        try:
            parts = urlsplit(self.path)
        except ValueError:  # such as http://[
            return "", ""
        return parts.path, parse_qs(parts.query).get("token", [""])[0]

    def _may(self, method: str, path: str, given_token: str) -> bool:
        own_address = str(self.connection.getsockname()[0]).removeprefix("::ffff:")
        request = Request(method, path, self.headers, given_token, own_address)  # type: ignore[arg-type]
        if len(self.headers.get_all("Host") or ()) > 1:
            self._say(HTTPStatus.BAD_REQUEST, "more than one Host")
            return False
        refusal = self._site.guard.refusal(request)
        if refusal is not None:
            logger.debug("web: %s refused: %s", path, refusal.reason)
            self._say(refusal.status, refusal.reason, CHALLENGE if refusal.status == HTTPStatus.UNAUTHORIZED else None)
        return refusal is None

    def _keep_token(self, path: str) -> None:
        """Swap the token in the address for a cookie: addresses are shown, kept and shared."""
        kiosk = "?kiosk" if "kiosk" in parse_qs(urlsplit(self.path).query, keep_blank_values=True) else ""
        self._send(HTTPStatus.SEE_OTHER, PLAIN, b"", {"Location": path + kiosk, "Set-Cookie": self._site.guard.cookie})

    def _take_answer(self, body: bytes) -> None:
        try:
            answer = msgspec.json.decode(body, type=Answer)
        except msgspec.DecodeError as error:
            self._say(HTTPStatus.BAD_REQUEST, f'expected {{"agreed": true}} or false: {error}')
            return
        self._site.display.gate.answer(agreed=answer.agreed)
        logger.info("consent %s on the page", "given" if answer.agreed else "taken back")
        self._send(HTTPStatus.NO_CONTENT, PLAIN, b"")

    def _health(self) -> None:
        pulse = self._site.pulse
        if pulse.stalled:
            self._say(HTTPStatus.SERVICE_UNAVAILABLE, f"stalled: the frame loop is silent for {pulse.age_s:.0f} s")
        else:
            self._say(HTTPStatus.OK, "ok")

    def _readiness(self) -> None:
        problem = self._site.why_not_ready()
        self._say(HTTPStatus.SERVICE_UNAVAILABLE if problem else HTTPStatus.OK, problem or "ready")

    def _metrics(self) -> None:
        try:
            text = self._site.metrics.text()
        except MetricsMissingError as error:
            self._say(HTTPStatus.NOT_IMPLEMENTED, str(error))
        else:
            self._send(HTTPStatus.OK, METRICS_TYPE, text)

    def _say(self, status: HTTPStatus, text: str, more: dict[str, str] | None = None) -> None:
        self._send(status, PLAIN, f"{text}\n".encode(), more)

    def _send(self, status: HTTPStatus, kind: str, body: bytes, more: dict[str, str] | None = None) -> None:
        self._begin(status, kind, {"Content-Length": str(len(body)), **(more or {})})
        if self.command != "HEAD":
            self.wfile.write(body)

    def _begin(self, status: HTTPStatus, kind: str, more: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, **HEADERS, **more}.items():
            self.send_header(name, value)
        self.end_headers()

    def _stream(self, kind: str, parts: Iterator[bytes]) -> None:
        with self.server.stream_place() as place, self._site.display.looking():
            if not place:
                self._say(HTTPStatus.SERVICE_UNAVAILABLE, "too many browsers look; web.max_clients says how many may")
                return
            self._begin(HTTPStatus.OK, kind, {"Connection": "close"})
            for part in parts if self.command != "HEAD" else ():
                if part:
                    self.wfile.write(part)
                elif self._is_gone():
                    return

    def _is_gone(self) -> bool:
        """Whether the browser has hung up: it sends nothing more, so anything to read is the end."""
        readable, _, _ = select.select([self.connection], [], [], 0)
        return bool(readable) and not self.connection.recv(1, socket.MSG_PEEK)
