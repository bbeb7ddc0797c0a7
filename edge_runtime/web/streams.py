"""The two endless answers: pictures as MJPEG, everything else as server-sent events. Newest only, never a queue."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Final

from edge_runtime.web.site import Site

BOUNDARY: Final = "frame"
TURN_S: Final = 0.25
"""How late a stream notices that the server closes or that the device's condition changed, at most."""
REPEAT_S: Final = 2.0
"""The condition is repeated, so that a browser that is gone is noticed and a proxy stays awake."""


def pictures(site: Site) -> Iterator[bytes]:
    """Yield the parts of a multipart/x-mixed-replace answer; nothing (b"") when there is no new one for a turn.

    The caller writes each one before it asks for the next: a slow client skips frames and delays nobody.
    """
    number = 0
    yield f"--{BOUNDARY}\r\n".encode()
    while not site.closing.is_set():
        started_at = time.monotonic()
        found = site.display.picture(number, TURN_S)
        if found is None:
            yield b""
            continue
        number, jpeg = found
        head = b"Content-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(jpeg)
        # The boundary comes right behind the picture: browsers show a part when they see where it ends.
        yield b"%s%s\r\n--%s\r\n" % (head, jpeg, BOUNDARY.encode())
        _keep_rate(site, started_at)


def updates(site: Site) -> Iterator[bytes]:
    """Yield server-sent events: hello, condition, seen."""
    yield b"retry: 1000\n\n" + _event("hello", site.display.hello())
    number, told, told_at = 0, b"", 0.0
    while not site.closing.is_set():
        started_at = time.monotonic()
        found = site.display.update(number, TURN_S)
        if found is not None:
            number, message = found
            yield _event("seen", message)
        condition = site.display.condition(stalled=site.pulse.stalled)
        if condition != told or started_at - told_at >= REPEAT_S:
            told, told_at = condition, started_at
            yield _event("condition", condition)
        if found is not None:
            _keep_rate(site, started_at)


def _event(name: str, data: bytes) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (name.encode(), data)


def _keep_rate(site: Site, started_at: float) -> None:
    # A tenth less than the period: a camera at just this rate loses no frame to jitter.
    left_s = 0.9 / site.settings.max_fps - (time.monotonic() - started_at)
    if left_s > 0:
        site.closing.wait(left_s)
