"""A fleet of devices before one broker, and what one device sends.

python -m benchmarks fleet [--devices N] [--seconds S]    connect storm, broker restart, losses
python -m benchmarks fleet --measure MEDIA                messages and bytes of one device in an hour
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks.fleet.plan import Plan


def main(arguments: list[str] | None = None) -> int:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks fleet", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--measure", type=Path, metavar="MEDIA", help="count what one device sends, over these clips")
    parser.add_argument("--devices", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=2, help="processes that the devices share")
    parser.add_argument("--seconds", type=float, default=30.0, help="of steady work before and after the restart")
    parser.add_argument("--down", type=float, default=5.0, help="seconds that the broker is away")
    parser.add_argument("--event-every", type=float, default=10.0, help="seconds between two events of a device")
    parser.add_argument(
        "--observation-every", type=float, default=10.0, help="seconds between two observations; 0 = none"
    )
    parser.add_argument("--result", default="fleet", help="name of the result")
    asked = parser.parse_args(sys.argv[2:] if arguments is None else arguments)
    if asked.measure:
        from benchmarks.fleet.rates import measure

        return measure(asked.measure)
    from benchmarks.fleet.storm import measure_fleet

    plan = Plan(asked.devices, asked.workers, asked.seconds, asked.down, asked.event_every, asked.observation_every)
    return measure_fleet(plan, asked.result)
