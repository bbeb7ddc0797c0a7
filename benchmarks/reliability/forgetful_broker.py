"""A broker that loses what it acknowledged: the outbox still has it, and `emotion-edge outbox replay` sends it again.

A subscriber with a session is away, the broker acknowledges events for it, and is killed before it hands them on. It
keeps nothing on disk. The replay is asked for by the number of the first event, while the program goes on.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

import msgspec

from benchmarks.environment import ROOT
from benchmarks.reliability.ledger import Ledger, Shown
from edge_runtime.clock import SystemClock
from edge_runtime.outbox import Outbox
from edge_runtime.outbox.inspection import summary
from edge_runtime.settings import Mqtt
from edge_runtime.settings import Outbox as Settings
from edge_runtime.sinks.mqtt import MqttSink
from tests.broker import Listener, Mosquitto, wait_until
from tests.faults.test_flapping_network import Impatient
from tests.samples import event_message

EVENTS: Final = 500
"""In a round."""
PATIENCE_S: Final = 120.0


def play(ledger: Ledger, count: int) -> None:
    """Let the broker forget `count` times."""
    while ledger.rounds < count:
        with tempfile.TemporaryDirectory() as folder:
            forget_once(Path(folder), EVENTS, ledger)
        ledger.end_rounds()


def shown(ledger: Ledger) -> list[Shown]:
    """Tell the counts."""
    counts = ledger.counts
    share = 100.0 * counts["recovered"] / counts["acknowledged"]
    told = f"{share:.4g} %, {counts['recovered']:,} of {counts['acknowledged']:,}, broker killed {ledger.rounds} times"
    return [
        Shown("recovered by replay after the broker forgot what it had acknowledged", told, "100 %", holds=share == 100)
    ]


def forget_once(folder: Path, events: int, ledger: Ledger) -> None:
    """Have a broker acknowledge events, kill it, ask for a replay; counts acknowledged, forgotten and recovered."""
    path, broker = folder / "outbox.db", Mosquitto(folder)
    broker.start()
    outbox = Outbox(Settings(path=str(path), commit_ms=10, send_per_s=10_000.0), clock=SystemClock())
    address = Mqtt(host="127.0.0.1", port=broker.port)
    with MqttSink(address, device_id="kiosk-1", clock=SystemClock(), outbox=outbox, rng=Impatient()) as sink:
        for seq in range(1, events + 1):
            sink.publish(event_message(seq))
        wait_until(lambda: sink.published["event"] == events, what="all acknowledged", timeout_s=PATIENCE_S)
        wait_until(lambda: summary(path).waiting == 0, what="acknowledgements are stored", timeout_s=PATIENCE_S)
        broker.kill()
        broker.start()
        wait_until(lambda: sink.connected, what="a connection", timeout_s=PATIENCE_S)
        with Listener(broker.port, "+/+/event") as listener:
            ledger.counts["acknowledged"] += events
            ledger.counts["still_at_the_broker"] += len(listener.drain())
            asked = replay(path, from_seq=1)
            arrived = [msgspec.json.decode(message.payload) for message in listener.take(asked)]
    broker.stop()
    again = {event["seq"] for event in arrived if event.get("replayed")}
    ledger.counts["recovered"] += len(again & set(range(1, events + 1)))


def replay(path: Path, *, from_seq: int) -> int:
    """Run `emotion-edge outbox replay`; how many events it asked for."""
    command = [sys.executable, "-m", "edge_runtime", "outbox", "replay", "--from", str(from_seq), "--path", str(path)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [*command, "--json"], cwd=ROOT, env=environment, check=True, capture_output=True, timeout=PATIENCE_S
    )
    return int(json.loads(done.stdout)["events"])
