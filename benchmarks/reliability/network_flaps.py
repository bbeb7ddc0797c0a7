"""A network that resets connections at random bytes: every event arrives at least once, first arrivals in order."""

from __future__ import annotations

import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import Final

from benchmarks.reliability.ledger import Ledger, Shown
from benchmarks.reliability.outage import arrived_at, proxied
from edge_runtime.clock import SystemClock
from edge_runtime.outbox import Outbox
from edge_runtime.settings import Mqtt
from edge_runtime.settings import Outbox as Settings
from edge_runtime.sinks.mqtt import MqttSink
from tests.broker import Listener, Mosquitto, wait_until
from tests.faults.test_flapping_network import Impatient
from tests.samples import event_message

BATCH: Final = 50
LONGEST_BYTES: Final = 20_000
WAITING: Final = 200
"""Events that wait at most while more are made."""
PATIENCE_S: Final = 600.0


def play(ledger: Ledger, count: int) -> None:
    """Reset until `count` resets are counted, in batches with a broker and an outbox of their own."""
    while ledger.rounds < count:
        with tempfile.TemporaryDirectory() as folder:
            flaps = _one_batch(Path(folder), min(BATCH, count - ledger.rounds), ledger)
        ledger.end_rounds(flaps)


def shown(ledger: Ledger) -> list[Shown]:
    """Tell the counts."""
    counts = ledger.counts
    lost = f"{counts['lost']} of {counts['events']:,}, {ledger.rounds:,} resets"
    twice = f"{counts['duplicates']:,} of {counts['events']:,}"
    return [
        Shown("events lost on a flapping network", lost, "0", holds=counts["lost"] == 0),
        Shown("first arrivals out of order", f"{counts['disordered']}", "0", holds=counts["disordered"] == 0),
        Shown("duplicates, told apart by boot_id and seq", twice, "told apart", holds=counts["unknown"] == 0),
    ]


def _one_batch(folder: Path, flaps: int, ledger: Ledger) -> int:
    broker = Mosquitto(folder, "max_queued_messages 0", "max_inflight_messages 0")
    broker.start()
    settings = Settings(path=str(folder / "outbox.db"), commit_ms=10, send_per_s=10_000.0)
    outbox = Outbox(settings, clock=SystemClock())
    seq = 0
    with proxied(broker, flaps, LONGEST_BYTES) as proxy, Listener(broker.port, "+/+/event") as listener:
        address = Mqtt(host="127.0.0.1", port=proxy.port)
        with MqttSink(address, device_id="kiosk-1", clock=SystemClock(), outbox=outbox, rng=Impatient()) as sink:
            give_up_at = time.monotonic() + PATIENCE_S
            while proxy.flaps < flaps and time.monotonic() < give_up_at:
                if sink.pending < WAITING:
                    seq += 1
                    sink.publish(event_message(seq))
                else:
                    time.sleep(0.005)
            wait_until(lambda: sink.pending == 0, what="all acknowledgements", timeout_s=PATIENCE_S)
            # An acknowledgement comes before the subscriber has the event.
            arrived = [number for _, number in arrived_at(listener, seq)]
    broker.stop()
    first = list(dict.fromkeys(arrived))
    ledger.counts.update(
        {
            "events": seq,
            "lost": len(set(range(1, seq + 1)) - set(first)),
            "unknown": len(set(first) - set(range(1, seq + 1))),
            "disordered": sum(left > right for left, right in pairwise(first)),
            "duplicates": len(arrived) - len(first),
        }
    )
    return proxy.flaps
