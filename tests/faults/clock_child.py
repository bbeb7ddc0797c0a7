"""A whole service over a fake camera with log file, outbox and a broker that is away; its parent steps the clock.

Frames go by in real time. After every 25 frames it says so and waits for a line on standard input.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np

from edge_runtime.audience import Nobody
from edge_runtime.clock import SystemClock
from edge_runtime.config import load_config
from edge_runtime.datatypes import Frame
from edge_runtime.heartbeat import Silence
from edge_runtime.service import Service
from edge_runtime.surroundings import Surroundings
from edge_runtime.testing import FakeSource
from edge_runtime.vitals import Ears, look_after
from edge_runtime.wiring import open_sinks
from tests.scene import DiscDetector, picture, pipeline
from tests.test_config import NOTHING

STEP_FRAMES = 25
FPS = 25.0


class SteppedCamera(FakeSource):
    """A live source of one face; between its parts the clock is stepped."""

    def __init__(self, parts: int) -> None:
        """Give so many parts of a second."""
        super().__init__([], live=True)
        self.name = "camera:0"
        self._parts, self._clock = parts, SystemClock()
        self._pause = threading.Event()
        self._rng = np.random.default_rng(3)

    def frames(self) -> Iterator[Frame]:
        """Yield frames in real time; say when a part is over."""
        still = picture((100.0, 60.0, 1.0))
        for index in range(self._parts * STEP_FRAMES):
            if index and index % STEP_FRAMES == 0:
                say("part over")
                sys.stdin.readline()
            noise = np.zeros_like(still)
            noise[::5, ::5] = self._rng.integers(0, 3, noise[::5, ::5].shape)
            self._pause.wait(1.0 / FPS)
            yield Frame(index, self._clock.monotonic(), still + np.minimum(noise, 255 - still))


def main(folder: Path, parts: int) -> None:
    """Run until the camera ends, and say what the sinks dropped."""
    overrides = {
        "log.file": str(folder / "events.jsonl"),
        "outbox.path": str(folder / "outbox.db"),
        "outbox.max_age_h": 1.0,
        "outbox.replay_h": 1.0,
        "mqtt.host": "127.0.0.1",
        "mqtt.port": 9,
        "console.enabled": False,
        "telemetry.period_s": 0.5,
        "device.id": "kiosk-1",
        "source.timeout_s": 10.0,
        "source.flat_s": 0.0,  # a disc on grey is nearly of one shade
    }
    config, clock = load_config(NOTHING, overrides=overrides), SystemClock()
    sinks = open_sinks(config, clock, live=True)
    for sink in sinks:
        sink.__enter__()
    watched, vitals = look_after(
        config, SteppedCamera(parts), sinks, clock=clock, audience=Nobody(), heartbeat=Silence()
    )
    around = Surroundings(clock=clock, audience=vitals, heartbeat=vitals)
    service = Service(config, pipeline(DiscDetector()), watched, sinks, around)
    vitals.ears = Ears(service.condition.note, service.tell_system)
    frames = service.run()
    dropped = {sink.name: dict(getattr(sink, "dropped", {})) for sink in sinks}
    for sink in reversed(sinks):
        sink.__exit__(None, None, None)
    say(msgspec.json.encode({"frames": frames, "dropped": dropped}).decode())


def say(text: str) -> None:
    """Tell the parent one line."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
