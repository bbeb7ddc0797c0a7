"""`emotion-edge run`: read faces from a source and emit events until it ends or is stopped."""

from __future__ import annotations

import argparse
import logging
import os
import time
from pathlib import Path
from typing import Any

from edge_runtime.cli.options import Verbs, add_chain, chain_overrides, configured, split_host, summary, web_address
from edge_runtime.commands import Inbox
from edge_runtime.log_limit import limit_log
from edge_runtime.settings import Config
from edge_runtime.signals import StopRequest, reload_on_hangup, stop_on_signals

logger = logging.getLogger(__name__)


def add(verbs: Verbs) -> None:
    """Add the verb."""
    parser = verbs.add_parser("run", help="read faces and emit events", description=summary(__doc__))
    add_chain(parser)
    parser.add_argument("--log-file", metavar="FILE", help="append events and observations as JSON lines")
    parser.add_argument("--mqtt", metavar="HOST[:PORT]", help="publish to this broker")
    parser.add_argument("--require-broker", action="store_true", help="end with exit code 6 if the broker is absent")
    parser.add_argument("--web", metavar="[HOST:]PORT", help="show the page, health and metrics there")
    parser.add_argument("--max-frames", type=count, metavar="N", help="end after N processed frames")
    parser.add_argument("--format", choices=("text", "json"), help="form of the events on standard output")
    parser.add_argument("--quiet", action="store_true", help="print no events")
    parser.set_defaults(main=main)


def main(arguments: argparse.Namespace) -> int:
    """Run the service: SIGINT and SIGTERM stop it in good order, SIGHUP loads the configuration again."""

    def load() -> Config:
        return configured(arguments, _overrides(arguments))

    stop, inbox = StopRequest(), Inbox()
    reload_on_hangup(inbox.hang_up)
    config = load()
    _set_log(config)
    forbid_core_dumps()
    stop_on_signals(stop)
    # Imported here: --help must not load OpenCV.
    from edge_runtime.program import run
    from edge_runtime.surroundings import Surroundings
    from edge_runtime.systemd_notify import Notifier

    run(
        config,
        Surroundings(
            stop=stop,
            heartbeat=Notifier(os.environ),
            max_frames=arguments.max_frames,
            inbox=inbox,
            load=load,
            in_use=_set_log,
        ),
    )
    return 0


def _set_log(config: Config) -> None:
    """Set level and rate of the program's own log, at the start and after a reload."""
    root = logging.getLogger()
    root.setLevel(config.service.log_level.upper())
    # The program's own handler and no other: whoever runs this verb in a process of theirs keeps theirs as they are.
    own = [handler for handler in root.handlers if type(handler) is logging.StreamHandler]
    limit_log(own, config.service.log_lines_per_minute, monotonic=time.monotonic)


def _overrides(arguments: argparse.Namespace) -> dict[str, Any]:
    overrides = chain_overrides(arguments)
    if arguments.mqtt is not None:
        overrides |= split_host(arguments.mqtt)
    if arguments.web is not None:
        overrides |= web_address(arguments.web)
    wanted = {
        "log.file": arguments.log_file,
        "console.format": arguments.format,
        "console.enabled": False if arguments.quiet else None,
        "mqtt.require": True if arguments.require_broker else None,
    }
    return overrides | {key: value for key, value in wanted.items() if value is not None}


def forbid_core_dumps() -> None:
    """A core file would hold the frame that was in memory.

    The limit alone is not enough: where the kernel hands core dumps to a program (systemd-coredump, apport), it asks
    nobody for the limit. So no kind of memory is marked for dumping either (core(5), coredump_filter).
    """
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    try:
        Path("/proc/self/coredump_filter").write_text("0", encoding="ascii")
    except OSError as error:
        logger.info("core dumps are limited to nothing, but not emptied (%s)", error.strerror)


def count(text: str) -> int:
    """Read a whole number from 1."""
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1, found {text!r}")
    return int(text)
