"""A broker that is frozen (SIGSTOP) with its connection open: what that does to the time of a frame.

Frames go through the whole loop, as fast as they can: nets, events, observations, outbox, MQTT. Phases with a running
and with a frozen broker take turns, the first of each pair by chance. The figure is the median over the pairs of the
quotient of their 99th percentiles, with a bootstrap interval: other work on the machine hits both phases alike.
"""

from __future__ import annotations

import itertools
import math
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from benchmarks.reliability.ledger import Ledger, Shown
from edge_runtime.clock import SystemClock
from edge_runtime.config import load_config
from edge_runtime.datatypes import Frame
from edge_runtime.events import EventWriter
from edge_runtime.outbox import Outbox
from edge_runtime.outlet import Outlet
from edge_runtime.policy import EventPolicy
from edge_runtime.settings import Mqtt
from edge_runtime.settings import Outbox as Settings
from edge_runtime.sinks.mqtt import MqttSink
from edge_runtime.sources.demo import FPS, FRAME_COUNT, Demo
from edge_runtime.speaker import identity_of
from edge_runtime.wiring import Pipeline, thresholds_of
from tests.broker import Mosquitto, wait_until

PHASE_FRAMES: Final = 2 * FRAME_COUNT
WARM_UP: Final = 100
OBSERVATIONS_HZ: Final = 1.0
RESAMPLES: Final = 2000
LARGEST_QUOTIENT: Final = 1.05
Phase = Literal["running", "frozen"]


@dataclass
class Loop:
    """Everything that a frame goes through, and the frames themselves, decoded beforehand."""

    pipeline: Pipeline
    policy: EventPolicy
    outlet: Outlet
    frames: Iterator[Frame]

    def times_s(self, count: int) -> tuple[list[float], list[float]]:
        """Process frames; seconds by the clock and seconds of this thread's own work for each."""
        wall, own = [], []
        for frame in itertools.islice(self.frames, count):
            begun, worked = time.perf_counter(), time.thread_time()
            seen = self.pipeline.process(frame)
            self.outlet.tell(self.policy.update(seen))
            self.outlet.show(seen)
            own.append(time.thread_time() - worked)
            wall.append(time.perf_counter() - begun)
        return wall, own


def play(ledger: Ledger, count: int) -> None:
    """Measure until `count` pairs of phases are there."""
    rng = random.Random(ledger.rounds)  # noqa: S311
    quotients = ledger.facts.setdefault("p99_quotients", {"clock": [], "work": []})
    if ledger.rounds >= count:
        return
    with tempfile.TemporaryDirectory() as folder, _loop(Path(folder)) as (loop, broker, sink):
        loop.times_s(WARM_UP)
        while ledger.rounds < count:
            p99: dict[Phase, tuple[float, float]] = {}
            phases: list[Phase] = ["running", "frozen"]
            rng.shuffle(phases)
            for phase in phases:
                p99[phase] = _phase(phase, loop, broker, sink, ledger)
            for place, name in enumerate(quotients):
                quotients[name].append(p99["frozen"][place] / p99["running"][place])
            ledger.end_rounds()


def shown(ledger: Ledger) -> list[Shown]:
    """Tell the medians with their intervals."""
    lines = []
    for name, what in (("work", "own work of a frame (thread CPU time)"), ("clock", "time of a frame by the clock")):
        middle, low, high = interval(ledger.facts["p99_quotients"][name])
        p99s = [f"{ledger.spread(f'{phase}_{name}_ms').at(0.99):.2f}" for phase in ("frozen", "running")]
        found = (
            f"{100 * (middle - 1):+.1f} % (95 % of resamples: {100 * (low - 1):+.1f} to {100 * (high - 1):+.1f} %), "
            f"all frames: {p99s[0]} against {p99s[1]} ms, {ledger.rounds} pairs"
        )
        lines.append(Shown(f"p99 of the {what}, frozen broker", found, "< +5 %", holds=middle < LARGEST_QUOTIENT))
    return lines


def interval(quotients: list[float]) -> tuple[float, float, float]:
    """Return the median and the bounds between which 95 % of resampled medians lie."""
    if not quotients:
        return math.nan, math.nan, math.nan
    rng = random.Random(3)  # noqa: S311
    medians = sorted(statistics.median(rng.choices(quotients, k=len(quotients))) for _ in range(RESAMPLES))
    return statistics.median(quotients), medians[int(0.025 * RESAMPLES)], medians[int(0.975 * RESAMPLES)]


def _phase(phase: Phase, loop: Loop, broker: Mosquitto, sink: MqttSink, ledger: Ledger) -> tuple[float, float]:
    """Measure one phase; its 99th percentiles by the clock and of own work, seconds."""
    wait_until(lambda: sink.connected and sink.pending == 0, what="a broker that has everything", timeout_s=120.0)
    if phase == "frozen":
        broker.freeze()
    wall, own = loop.times_s(PHASE_FRAMES)
    ledger.counts["frozen_events"] += sink.pending if phase == "frozen" else 0
    broker.thaw()
    for name, times in (("clock", wall), ("work", own)):
        spread = ledger.spread(f"{phase}_{name}_ms")
        for seconds in times:
            spread.add(1000.0 * seconds)
    return _p99(wall), _p99(own)


def _p99(times: list[float]) -> float:
    return sorted(times)[int(0.99 * len(times))]


@contextmanager
def _loop(folder: Path) -> Iterator[tuple[Loop, Mosquitto, MqttSink]]:
    broker, clock, config = Mosquitto(folder), SystemClock(), load_config()
    broker.start()
    outbox = Outbox(Settings(path=str(folder / "outbox.db"), send_per_s=10_000.0), clock=clock)
    address = Mqtt(host="127.0.0.1", port=broker.port)
    try:
        with (
            Pipeline.from_config(config) as pipeline,
            MqttSink(address, device_id="kiosk-1", clock=clock, outbox=outbox) as sink,
            Demo() as demo,
        ):
            writer = EventWriter(identity_of(config, pipeline, demo, clock.uuid4()), clock)
            outlet = Outlet([sink], writer, OBSERVATIONS_HZ)
            frames = _again_and_again(list(demo.frames()))
            yield Loop(pipeline, EventPolicy(thresholds_of(pipeline.parts.policy)), outlet, frames), broker, sink
    finally:
        broker.thaw()
        broker.stop()


def _again_and_again(frames: list[Frame]) -> Iterator[Frame]:
    for index in itertools.count():
        yield Frame(index, index / FPS, frames[index % len(frames)].pixels)
