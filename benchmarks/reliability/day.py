"""A day's worth of observations and events through log, outbox and MQTT, as fast as they take it; no nets.

A day has 86,400 observations at the shipped rate of one a second; an event after every 20th makes 4,320. The outbox
commits as often as it can, so that an event costs the disk what it costs alone. The run cannot be divided: one that is
interrupted is begun anew.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from benchmarks.environment import ROOT
from benchmarks.reliability.ledger import Ledger, Shown
from benchmarks.reliability.program import place
from benchmarks.reliability.watching import told, watch

OBSERVATIONS_AN_EVENT: Final = 20

# Waits while many events wait, as a day gives the outbox time.
FEEDER: Final = """
import sys, time
from contextlib import ExitStack
from pathlib import Path
from edge_runtime.clock import SystemClock
from edge_runtime.config import load_config
from edge_runtime.payloads import OutMessage
from edge_runtime.wiring import open_sinks
from tests.samples import event_message, observation
config, count, each = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
with ExitStack() as stack:
    sinks = [stack.enter_context(sink) for sink in open_sinks(load_config(config), SystemClock(), live=False)]
    (mqtt,) = [sink for sink in sinks if sink.name == "mqtt"]
    for number in range(1, count + 1):
        messages = [OutMessage("observation", observation(frame=number))]
        if number % each == 0:
            messages.append(event_message(number // each))
        for message in messages:
            for sink in sinks:
                sink.publish(message)
        while mqtt.pending > 4:
            time.sleep(0.001)
"""


def play(ledger: Ledger, count: int) -> None:
    """Feed `count` observations to a process of its own and watch it."""
    if ledger.rounds == count:
        return
    ledger.rounds = 0
    with tempfile.TemporaryDirectory() as folder, place(Path(folder) / "place", settings="") as where:
        config = str(where.folder / "config.toml")
        command = [sys.executable, "-c", FEEDER, config, str(count), str(OBSERVATIONS_AN_EVENT)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        with (
            (where.folder / "stderr").open("wb") as errors,
            subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=errors) as program,
        ):
            watch(where, program, count, ledger)
    ledger.end_rounds(count)


def shown(ledger: Ledger) -> list[Shown]:
    """Tell what was seen."""
    return told(ledger, "log, outbox and MQTT alone")
