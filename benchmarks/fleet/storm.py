"""Connect everybody at once, work, take the broker away, bring it back, count what arrived."""

from __future__ import annotations

import multiprocessing
import tempfile
import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Final

from benchmarks.environment import write
from benchmarks.fleet.broker import BrokerProcess
from benchmarks.fleet.collector import Collector
from benchmarks.fleet.devices import work
from benchmarks.fleet.limits import raise_file_limit
from benchmarks.fleet.plan import Plan

LONGEST_S: Final = 300.0
"""For everybody to connect, and for everything to arrive."""

Report = dict[str, Any]


@dataclass
class Crew:
    """The workers and the lines to them."""

    processes: list[BaseProcess]
    lines: list[Connection]

    def begin(self) -> None:
        """Switch every device on."""
        for line in self.lines:
            line.send("go")

    def stop(self) -> list[Report]:
        """Let them publish nothing more, wait for what is on its way, take their reports."""
        for line in self.lines:
            line.send("stop")
        return [report for line in self.lines for report in _report_of(line)]

    def dismiss(self) -> None:
        """Let them disconnect and end."""
        for line in self.lines:
            line.send("end")
        for process in self.processes:
            process.join(60.0)


def measure_fleet(plan: Plan, result: str) -> int:
    """Run one fleet against one mosquitto and write the result; 1 when an event was lost."""
    raise_file_limit()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        broker = BrokerProcess(Path(folder))
        stack.callback(broker.stop)
        broker.start()
        collector = stack.enter_context(Collector(broker.port))
        figures = _play(plan, broker, collector)
    for name, value in figures.items():
        print(name, value)
    command = f"python -m benchmarks fleet --devices {plan.devices} --seconds {plan.steady_s:g}"
    command += f" --event-every {plan.event_every_s:g} --observation-every {plan.observation_every_s:g}"
    command += f" --down {plan.down_s:g}"
    write(result, command, {"plan": asdict(plan), **figures})
    return 1 if figures["events"]["lost"] else 0


def _play(plan: Plan, broker: BrokerProcess, collector: Collector) -> dict[str, Any]:
    crew = _hire(plan, broker.port)
    begun = time.monotonic()
    crew.begin()
    connected = _wait_for_all(collector, plan.devices, begun)
    steady, arrived_before, steady_from = broker.measure(collector.broker), collector.seen.total(), time.monotonic()
    time.sleep(plan.steady_s)
    arrived, worked_s = collector.seen.total() - arrived_before, time.monotonic() - steady_from
    work_figures = _steady(broker.measure(collector.broker), steady, arrived, worked_s)
    broker.stop()
    time.sleep(plan.down_s)
    back_at = time.monotonic()
    broker.start()
    reconnected = _wait_for_all(collector, plan.devices, back_at)
    time.sleep(plan.steady_s)
    reports = crew.stop()
    _wait_for(collector, sum(report["sent"] for report in reports))
    figures = {
        "connect_storm": connected,
        "steady": work_figures,
        "reconnect": reconnected,
        "events": _events(reports, collector),
        "dropped": _dropped(reports),
        "broker": broker.resources(),
    }
    crew.dismiss()
    return figures


def _hire(plan: Plan, port: int) -> Crew:
    context = multiprocessing.get_context("spawn")
    crew = Crew([], [])
    for worker in range(plan.workers):
        ours, theirs = context.Pipe()
        process = context.Process(target=work, args=(plan, worker, port, theirs), daemon=True)
        process.start()
        crew.processes.append(process)
        crew.lines.append(ours)
    for line in crew.lines:
        line.recv()  # ready: what follows is not slowed by imports
    return crew


def _report_of(line: Connection) -> list[Report]:
    give_up_at = time.monotonic() + LONGEST_S
    while line.poll(max(0.0, give_up_at - time.monotonic())):
        said = line.recv()
        if isinstance(said, list):
            return said
    raise TimeoutError(f"a worker did not report within {LONGEST_S:.0f} s")


def _wait_for(collector: Collector, count: int) -> None:
    give_up_at = time.monotonic() + LONGEST_S
    while len(collector.seen) < count and time.monotonic() < give_up_at:
        time.sleep(0.1)


def _wait_for_all(collector: Collector, count: int, since: float) -> dict[str, float]:
    """Wait until every device has said `online`; how long they took."""
    give_up_at = time.monotonic() + LONGEST_S
    while len(times := collector.came_online(since)) < count and time.monotonic() < give_up_at:
        time.sleep(0.1)
    return _since(since, times)


def _since(begun: float, times: list[float]) -> dict[str, float]:
    took = sorted(at - begun for at in times)
    at = [took[min(int(share * len(took)), len(took) - 1)] for share in (0.5, 0.95)]
    return {"p50_s": round(at[0], 2), "p95_s": round(at[1], 2), "max_s": round(took[-1], 2), "devices": len(took)}


def _steady(after: dict[str, float], before: dict[str, float], arrived: int, seconds: float) -> dict[str, float]:
    messages = after["publish_received"] - before["publish_received"]
    span_s = max(after["at_s"] - before["at_s"], 1e-9)
    size = (after["bytes_received"] - before["bytes_received"]) / max(messages, 1)
    return {
        "events_delivered_a_second": round(arrived / seconds, 1),
        "messages_received_a_second": round(messages / span_s, 1),
        "bytes_a_message_on_the_wire": round(size),
        "broker_cpu_share": round((after["cpu_s"] - before["cpu_s"]) / span_s, 3),
    }


def _events(reports: list[Report], collector: Collector) -> dict[str, int]:
    wanted = {(report["device"], seq) for report in reports for seq in range(1, report["sent"] + 1)}
    return {
        "sent": len(wanted),
        "arrived": len(wanted & set(collector.seen)),
        "lost": len(wanted - set(collector.seen)),
        "more_than_once": sum(count > 1 for count in collector.seen.values()),
    }


def _dropped(reports: list[Report]) -> dict[str, int]:
    reasons = sorted({reason for report in reports for reason in report["dropped"]})
    return {reason: sum(report["dropped"].get(reason, 0) for report in reports) for reason in reasons}
