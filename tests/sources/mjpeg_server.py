"""A network camera on loopback: Motion JPEG over HTTP."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

BOUNDARY = "frame"


@dataclass
class NetworkCamera:
    """What the camera shows and how it ends."""

    pictures: Sequence[NDArray[np.uint8]]
    hangs: bool = False
    """After the last picture: True = say nothing more, False = close the connection."""
    answers_after_s: float = 0.0
    port: int = 0
    stopping: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        """Address with a user, a password and a token, as cameras want them."""
        return f"http://admin:hunter2@127.0.0.1:{self.port}/live.mjpg?token=topsecret"


class _Handler(BaseHTTPRequestHandler):
    def __init__(self, camera: NetworkCamera, *args: Any) -> None:  # noqa: ANN401  the base class's
        self._camera = camera
        super().__init__(*args)

    def do_GET(self) -> None:
        self._camera.stopping.wait(self._camera.answers_after_s)
        self.send_response(200)
        self.send_header("Content-Type", f"multipart/x-mixed-replace; boundary={BOUNDARY}")
        self.end_headers()
        with contextlib.suppress(ConnectionError):
            for picture in self._camera.pictures:
                self._send(np.asarray(cv2.imencode(".jpg", picture)[1], dtype=np.uint8).tobytes())
            if self._camera.hangs:
                self._camera.stopping.wait(timeout=20)

    def log_message(self, *args: object) -> None:
        """Keep the test's output clean."""

    def _send(self, jpeg: bytes) -> None:
        head = f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
        self.wfile.write(head.encode("ascii") + jpeg + b"\r\n")


@contextlib.contextmanager
def serving(camera: NetworkCamera) -> Iterator[NetworkCamera]:
    """Run the camera on a free port."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, camera)) as server:
        camera.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, name="network camera")
        thread.start()
        try:
            yield camera
        finally:
            camera.stopping.set()
            server.shutdown()
            thread.join(timeout=10)
