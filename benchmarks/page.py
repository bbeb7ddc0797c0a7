"""What the page costs the frame loop: off, on with nobody looking, with a browser, with one that does not read.

python -m benchmarks page
"""

from __future__ import annotations

import itertools
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from benchmarks.environment import write
from edge_runtime.audience import Audience, Nobody
from edge_runtime.clock import SystemClock
from edge_runtime.heartbeat import Silence
from edge_runtime.settings import Web
from edge_runtime.sources.demo import Demo
from edge_runtime.web.opening import WebParts
from edge_runtime.web.paced import PacedSource
from edge_runtime.wiring import Pipeline, open_web

_FRAMES = 250
_WARM_UP = 25
# In processes of their own, as browsers are: their reading must not take turns from the frame loop's interpreter.
_READER = """
import sys, urllib.request
answer = urllib.request.urlopen(sys.argv[1])
print("reading", flush=True)
while answer.read(4096):
    pass
"""
_SLEEPER = """
import socket, sys, time, urllib.parse
address = urllib.parse.urlsplit(sys.argv[1])
asleep = socket.create_connection((address.hostname, address.port))
asleep.sendall(f"GET {address.path} HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n".encode())
print("asleep", flush=True)
time.sleep(600)
"""


def main() -> int:
    """Measure and write results/page.json."""
    figures: dict[str, Any] = {"frames": _FRAMES, "off": _measure(Pipeline.from_builtin(), Nobody())}
    for name, program, count in (
        ("on_and_nobody_looks", "", 0),
        ("one_browser", _READER, 1),
        ("four_browsers", _READER, 4),
        ("one_browser_that_does_not_read", _SLEEPER, 1),
    ):
        figures[name] = _with_page(program, count)
    for name, value in figures.items():
        print(name, value)
    write("page", "python -m benchmarks page", figures)
    return 0


def _with_page(program: str, count: int) -> dict[str, float]:
    pipeline = Pipeline.from_builtin()
    parts = open_web(Web(enabled=True, port=0), SystemClock(), Silence(), pipeline, [], live=False)
    with ExitStack() as stack:
        stack.enter_context(parts.server)
        for _ in range(count):
            for path in ("picture", "updates"):
                stack.enter_context(_client(program, parts, path))
        return _measure(pipeline, parts.display)


@contextmanager
def _client(program: str, parts: WebParts, path: str) -> Iterator[None]:
    address = f"http://localhost:{parts.server.port}/{path}"
    with subprocess.Popen([sys.executable, "-c", program, address], stdout=subprocess.PIPE) as process:
        try:
            if process.stdout is None or not process.stdout.readline():
                raise RuntimeError(f"{address}: the client did not start")
            yield
        finally:
            process.kill()


def _measure(pipeline: Pipeline, audience: Audience) -> dict[str, float]:
    """Run the demo at its own 25 frames a second; what `show` takes, and what a whole frame takes."""
    shows_us, frames_ms = [], []
    with PacedSource(Demo(loop=True), clock=SystemClock(), stop=threading.Event()) as source:
        for frame in itertools.islice(source.frames(), _WARM_UP + _FRAMES):
            begun = time.perf_counter()
            seen = pipeline.process(frame)
            processed = time.perf_counter()
            audience.show(frame, seen)
            shown = time.perf_counter()
            shows_us.append(1e6 * (shown - processed))
            frames_ms.append(1e3 * (shown - begun))
    return {
        "show_p50_us": _at(shows_us[_WARM_UP:], 0.5),
        "show_p95_us": _at(shows_us[_WARM_UP:], 0.95),
        "frame_p50_ms": _at(frames_ms[_WARM_UP:], 0.5),
        "frame_p95_ms": _at(frames_ms[_WARM_UP:], 0.95),
    }


def _at(values: list[float], share: float) -> float:
    return round(sorted(values)[int(share * len(values))], 2)
