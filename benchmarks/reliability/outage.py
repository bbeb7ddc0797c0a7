"""An outage with a long queue behind it: events arrive in order, nearly none twice, at the configured rate at most.

The broker is stopped, events are queued, the broker is started. While they are sent, the network resets the connection
a few times: without that there would be no duplicate at all, and nothing to tell apart.
"""

from __future__ import annotations

import random
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Final

from benchmarks.reliability.ledger import Ledger, Shown
from benchmarks.reliability.program import EventKey, key_of
from edge_runtime.clock import SystemClock
from edge_runtime.outbox import Outbox
from edge_runtime.settings import Mqtt
from edge_runtime.settings import Outbox as Settings
from edge_runtime.sinks.mqtt import MqttSink
from tests.broker import Listener, Mosquitto, wait_until
from tests.faults.test_flapping_network import FlappingProxy, Impatient
from tests.samples import BOOT_ID, event_message

QUICK_PER_S: Final = 10_000.0
"""More than the machine can send: the long queue is not slowed down."""
LIMITED_PER_S: Final = 100.0
LIMITED_EVENTS: Final = 1000
"""Of a second, short queue, which shows that the limit is kept."""
EVENTS_A_RESET: Final = 25_000
BYTES_TO_A_RESET: Final = 10_000_000
FLUSH_EVENTS: Final = 500
PATIENCE_S: Final = 3600.0


def play(ledger: Ledger, count: int) -> None:
    """Queue `count` events and send them; one outage is one round and is begun anew when it was interrupted."""
    if ledger.rounds == count:
        return
    ledger.rounds = 0
    ledger.counts.clear()
    with tempfile.TemporaryDirectory() as folder:
        ledger.facts["limited_per_s"] = _one_outage(Path(folder), LIMITED_EVENTS, LIMITED_PER_S, Counter())
    with tempfile.TemporaryDirectory() as folder:
        ledger.facts["sent_per_s"] = _one_outage(Path(folder), count, QUICK_PER_S, ledger.counts)
    ledger.end_rounds(count)


def shown(ledger: Ledger) -> list[Shown]:
    """Tell the counts."""
    counts, facts = ledger.counts, ledger.facts
    queued = f"{counts['queued']:,} events queued in an outage"
    share = counts["duplicates"] / counts["queued"]
    twice = f"{counts['duplicates']} ({100 * share:.3f} %) after {counts['resets']} resets, all told apart"
    rate = f"{facts['limited_per_s']:.1f} (without a limit: {facts['sent_per_s']:,.0f})"
    kept = facts["limited_per_s"] <= 1.05 * LIMITED_PER_S
    return [
        Shown(f"lost of {queued}", f"{counts['lost']}", "0", holds=counts["lost"] == 0),
        Shown("of these, first arrivals out of order", f"{counts['disordered']}", "0", holds=counts["disordered"] == 0),
        Shown("duplicates", twice, "< 0.1 %", holds=share < 0.001 and not counts["unknown"]),
        Shown(f"events a second, outbox.send_per_s = {LIMITED_PER_S:.0f}", rate, f"<= {LIMITED_PER_S:.0f}", holds=kept),
    ]


def _one_outage(folder: Path, count: int, send_per_s: float, found: Counter[str]) -> float:
    """Queue, start the broker, wait for everything; counts go to `found`; returns events a second."""
    broker = Mosquitto(folder, "max_queued_messages 0", "max_inflight_messages 0")
    settings = Settings(
        path=str(folder / "outbox.db"), commit_ms=10, send_per_s=send_per_s, max_rows=count + 1, max_mb=1e6
    )
    outbox = Outbox(settings, clock=SystemClock())
    way_open = threading.Event()
    with proxied(broker, count // EVENTS_A_RESET, BYTES_TO_A_RESET, opens=way_open) as proxy:
        address = Mqtt(host="127.0.0.1", port=proxy.port)
        with MqttSink(address, device_id="kiosk-1", clock=SystemClock(), outbox=outbox, rng=Impatient()) as sink:
            _queue(sink, outbox, count)
            broker.start()
            with Listener(broker.port, "+/+/event") as listener:
                way_open.set()  # not before: what is sent while nobody listens yet would count as lost
                begun = time.monotonic()
                wait_until(lambda: sink.published["event"] >= count, what="all sent", timeout_s=PATIENCE_S)
                took_s = time.monotonic() - begun
                arrived = arrived_at(listener, count)
    broker.stop()
    found.update({"queued": count, "resets": proxy.flaps, **_compared(arrived, count)})
    # What a second of silence saves up may be sent at once: one second of the rate is not counted.
    return max(0.0, count - send_per_s if send_per_s < count else count) / took_s


def _queue(sink: MqttSink, outbox: Outbox, count: int) -> None:
    for seq in range(1, count + 1):
        sink.publish(event_message(seq))
        if seq % FLUSH_EVENTS == 0 and not outbox.flush(60.0):
            raise SystemExit(f"the outbox did not take {FLUSH_EVENTS} events within 60 s: {outbox.problem}")


def arrived_at(listener: Listener, count: int) -> list[EventKey]:
    """Return what came, in order; waits until so many different ones are there or nothing comes any more."""
    arrived: list[EventKey] = []
    quiet_since = time.monotonic()
    while len(set(arrived)) < count and time.monotonic() - quiet_since < 10.0:
        fresh = [key_of(message.payload) for message in listener.drain()]
        if fresh:
            arrived += fresh
            quiet_since = time.monotonic()
        else:
            time.sleep(0.05)
    return arrived


def _compared(arrived: list[EventKey], count: int) -> dict[str, int]:
    first = list(dict.fromkeys(arrived))
    expected = [(BOOT_ID, seq) for seq in range(1, count + 1)]
    return {
        "lost": len(set(expected) - set(first)),
        "unknown": len(set(first) - set(expected)),
        "disordered": sum(left > right for left, right in pairwise(first)),
        "duplicates": len(arrived) - len(first),
    }


@contextmanager
def proxied(
    broker: Mosquitto, flaps: int, longest_bytes: int, *, opens: threading.Event | None = None
) -> Iterator[FlappingProxy]:
    """Pass connections on to a broker, resetting so many of them at random bytes; before `opens` nothing passes."""
    proxy = FlappingProxy(broker.port, flaps=flaps, rng=random.Random(flaps), longest_bytes=longest_bytes)  # noqa: S311

    def run() -> None:
        if opens is not None:
            opens.wait()
        proxy.run()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        if opens is not None:
            opens.set()
        proxy.close()
        thread.join(20.0)
