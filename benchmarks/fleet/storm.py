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
    """The workers and how many of their devices are connected now."""

    processes: list[BaseProcess]
    lines: list[Connection]
    connected: list[int]

    def look(self) -> int:
        """Take what the workers said; return how many devices are connected."""
        for index, line in enumerate(self.lines):
            while line.poll():
                self.connected[index] = line.recv()
        return sum(self.connected)

    def wait_for_all(self, count: int) -> None:
        """Wait until so many are connected."""
        give_up_at = time.monotonic() + LONGEST_S
        while self.look() < count:
            if time.monotonic() > give_up_at:
                raise TimeoutError(f"{sum(self.connected)} of {count} devices connected within {LONGEST_S:.0f} s")
            time.sleep(0.05)

    def work_for(self, seconds: float) -> None:
        """Let them publish."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.look()
            time.sleep(0.05)

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
    write(result, command, {"plan": asdict(plan), **figures})
    return 1 if figures["events"]["lost"] else 0


def _play(plan: Plan, broker: BrokerProcess, collector: Collector) -> dict[str, Any]:
    crew = _hire(plan, broker.port)
    begun = time.monotonic()
    for line in crew.lines:
        line.send("go")
    crew.wait_for_all(plan.devices)
    steady = broker.measure(collector.broker)
    steady_from, arrived_before = time.monotonic(), collector.seen.total()
    crew.work_for(plan.steady_s)
    work_figures = _steady(
        broker.measure(collector.broker),
        steady,
        collector.seen.total() - arrived_before,
        time.monotonic() - steady_from,
    )
    broker.stop()
    crew.work_for(plan.down_s)
    broker.start()
    back_at = time.monotonic()
    crew.work_for(1.0)  # so that nobody counts as connected who has not noticed the loss
    crew.wait_for_all(plan.devices)
    crew.work_for(plan.steady_s)
    reports = crew.stop()
    _wait_for(collector, sum(report["sent"] for report in reports))
    figures = {
        "connect_storm": _since(begun, [_first(report, begun) for report in reports]),
        "steady": work_figures,
        "reconnect": _since(back_at, [_first(report, back_at) for report in reports]),
        "events": _events(reports, collector),
        "dropped": _dropped(reports),
        "broker": broker.resources(),
    }
    crew.dismiss()
    return figures


def _hire(plan: Plan, port: int) -> Crew:
    context = multiprocessing.get_context("spawn")
    crew = Crew([], [], [0] * plan.workers)
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


def _first(report: Report, after: float) -> float:
    """When a device was connected for the first time after a moment."""
    return next((at for at, connected in report["changes"] if connected and at >= after), float("inf"))


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
