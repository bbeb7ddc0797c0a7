"""A server without a frame loop: tests show it frames themselves."""

from __future__ import annotations

import http.client
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np
import pytest

from edge_runtime.contract import KEYPOINT_COUNT, UncertainReason
from edge_runtime.datatypes import Emotion, Face, Frame, Keypoints, Observation
from edge_runtime.geometry import Box
from edge_runtime.heartbeat import Silence
from edge_runtime.payloads import OutMessage
from edge_runtime.settings import Web
from edge_runtime.stages import StageTimes
from edge_runtime.testing import ManualClock, MemorySink
from edge_runtime.web.opening import WebParts, assemble
from tests import samples

WIDTH_PX, HEIGHT_PX = 160, 120


def face(label: int = 3, *, reason: UncertainReason | None = None, track_id: int = 1) -> Face:
    """Build a face that shows one label with 0.9."""
    scores = tuple(0.9 if index == label else 0.025 for index in range(5))
    points = np.tile(np.array([[60.0, 50.0]], np.float32), (KEYPOINT_COUNT, 1))
    return Face(track_id, Box(40.0, 30.0, 90.0, 95.0), Keypoints(points), Emotion(scores, 0.88, reason))


def observed(index: int = 0, *faces: Face, at: float = 0.0) -> tuple[Frame, Observation]:
    """Build a grey frame and what was seen in it."""
    pixels = np.full((HEIGHT_PX, WIDTH_PX), 40 + index % 200, np.uint8)
    return Frame(index, at, pixels), Observation(index, at, WIDTH_PX, HEIGHT_PX, faces)


@dataclass
class Answered:
    """One answer, read to its end."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass
class Running:
    """A server that listens, and what it is made of."""

    parts: WebParts
    clock: ManualClock
    _shown: int = field(default=0)

    @property
    def port(self) -> int:
        """Where it listens."""
        return self.parts.server.port

    def ask(self, path: str, *, method: str = "GET", body: bytes | None = None, **headers: str) -> Answered:
        """Send one request; `Host` and others replace what http.client would send."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        wanted = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.putrequest(method, path, skip_host="Host" in wanted)
        for name, value in wanted.items():
            connection.putheader(name, value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        answer = connection.getresponse()
        found = Answered(answer.status, dict(answer.getheaders()), answer.read())
        connection.close()
        return found

    def agree(self, *, agreed: bool, origin: str | None = None) -> Answered:
        """Press the consent button."""
        body = json.dumps({"agreed": agreed}).encode()
        return self.ask("/consent", method="POST", body=body, Origin=origin or f"http://127.0.0.1:{self.port}")

    def show(self, *faces: Face) -> None:
        """Be the frame loop for one frame."""
        self._shown += 1
        self.parts.display.show(*observed(self._shown, *faces))

    def run(self) -> None:
        """Say that the camera runs."""
        self.parts.display.publish(OutMessage("status", msgspec.structs.replace(samples.status(), camera="running")))


@pytest.fixture
def serve() -> Iterator[Callable[..., Running]]:
    """Return a function that starts a server with some settings; all end with the test, and leave no thread."""
    before = set(threading.enumerate())
    with ExitStack() as stack:

        def start(**settings: Any) -> Running:  # noqa: ANN401  the fields of Web
            clock = ManualClock()
            web = msgspec.convert({"enabled": True, "port": 0, **settings}, Web)
            parts = assemble(
                web,
                clock=clock,
                heartbeat=Silence(),
                times=StageTimes(),
                fallbacks=Counter(),
                sinks=[MemorySink()],
                live=False,
            )
            stack.enter_context(parts.server)
            return Running(parts, clock)

        yield start
    for thread in set(threading.enumerate()) - before:
        thread.join(timeout=5)
        assert not thread.is_alive(), thread.name
