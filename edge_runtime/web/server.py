"""The server's life: listens, a bounded number of threads answer, and all of them end with it."""

from __future__ import annotations

import contextlib
import logging
import socket
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from http.server import ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final

from edge_runtime.errors import WebError
from edge_runtime.web.guard import is_loopback
from edge_runtime.web.handler import HEADERS, PLAIN, Handler
from edge_runtime.web.site import Site

if TYPE_CHECKING:
    from typing_extensions import Self

logger = logging.getLogger(__name__)

SPARE_PLACES: Final = 2
"""Connections that streams may not take: health and metrics always get an answer."""
PLACE_WAIT_S: Final = 0.5
"""A browser asks for the page's files at once on six connections; each is answered within milliseconds."""
CLOSE_TIMEOUT_S: Final = 2.0

_BUSY: Final = "\r\n".join(
    (
        "HTTP/1.0 503 Service Unavailable",
        f"Content-Type: {PLAIN}",
        "Retry-After: 2",
        *(f"{name}: {value}" for name, value in HEADERS.items()),
        "",
        "too many connections\n",
    )
).encode()


class BoundedServer(ThreadingHTTPServer):
    """One thread a connection, at most web.max_clients; one more is told to come back."""

    daemon_threads = True
    request_queue_size = 16

    def __init__(self, site: Site) -> None:
        """Listen; OSError when that fails."""
        self.site = site
        self._places = threading.BoundedSemaphore(site.settings.max_clients)
        self._stream_places = threading.BoundedSemaphore(site.settings.max_clients - SPARE_PLACES)
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        if ":" in site.settings.host:
            self.address_family = socket.AF_INET6
        super().__init__((site.settings.host, site.settings.port), Handler)

    def server_bind(self) -> None:
        """Bind without asking the resolver for this machine's name, which may hang without a network."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401  the base class's types
        """Start a thread when there is a place for one soon."""
        if not self._places.acquire(timeout=PLACE_WAIT_S):
            self._send_away(request)
            return
        with self._lock:
            self._open.add(request)
        try:
            super().process_request(request, client_address)
        except RuntimeError as error:  # the system gives no more threads
            logger.warning("web: a connection was not answered: %s", error)
            self._give_place_back(request)
            self._send_away(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:  # noqa: ANN401
        """Answer one connection, and give its place back."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._give_place_back(request)

    def _give_place_back(self, request: socket.socket) -> None:
        with self._lock:
            self._open.discard(request)
        self._places.release()

    def _send_away(self, request: socket.socket) -> None:
        with contextlib.suppress(OSError):
            request.sendall(_BUSY)
        self.shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401, ARG002
        """Forget a browser that hung up, read too slowly or sent too much; log what is our own mistake."""
        error = sys.exc_info()[1]
        if not isinstance(error, (OSError, HTTPException)):
            logger.error("web: a request failed: %s", "".join(traceback.format_exception(error)))

    @contextmanager
    def stream_place(self) -> Iterator[bool]:
        """Take one of the places for endless answers; False when there is none."""
        taken = self._stream_places.acquire(blocking=False)
        try:
            yield taken
        finally:
            if taken:
                self._stream_places.release()

    def hang_up(self) -> None:
        """End every connection, and wait a bounded time for their threads."""
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        for _ in range(self.site.settings.max_clients):
            if not self._places.acquire(timeout=CLOSE_TIMEOUT_S):
                logger.warning("web: a connection did not end within %.0f s", CLOSE_TIMEOUT_S)
                return


class WebServer:
    """Listens from `with` on, and leaves no thread behind."""

    def __init__(self, site: Site) -> None:
        """Prepare; nothing is bound."""
        self._site = site
        self._server: BoundedServer | None = None
        self._thread: threading.Thread | None = None

    @property
    def port(self) -> int:
        """Where it listens; 0 before it does."""
        return self._server.server_port if self._server else 0

    def __enter__(self) -> Self:
        """Listen.

        Raises:
            WebError: the address is taken, or is not this machine's.
        """
        settings = self._site.settings
        try:
            self._server = BoundedServer(self._site)
        except OSError as error:
            raise WebError(
                f"web: cannot listen on {settings.host} port {settings.port} ({error.strerror or error}); "
                f"choose another web.port, or end what listens there"
            ) from error
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.2}, name="web", daemon=True
        )
        self._thread.start()
        shown = f"[{settings.host}]" if ":" in settings.host else settings.host
        logger.info("page, health and metrics on http://%s:%d/", shown, self.port)
        if not is_loopback(settings.host):
            logger.warning("web: other machines can connect; without TLS whoever listens in sees token and picture")
        return self

    def __exit__(self, *exc: object) -> None:
        """Say goodbye to every browser."""
        if self._server is None or self._thread is None:
            return
        self._site.closing.set()
        self._site.display.wake()
        self._server.shutdown()
        self._server.server_close()
        self._server.hang_up()
        self._thread.join(CLOSE_TIMEOUT_S)
