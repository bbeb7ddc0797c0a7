"""`emotion-edge record`: run, and write what the event policy needs of every frame; numbers, no pixels."""

from __future__ import annotations

import argparse
import logging
import threading
from pathlib import Path

from edge_runtime.cli.options import Verbs, add_chain, chain_overrides, configured, refuse_same_file, summary
from edge_runtime.cli.run import count, forbid_core_dumps
from edge_runtime.settings import Config
from edge_runtime.signals import StopRequest, stop_on_signals


def add(verbs: Verbs) -> None:
    """Add the verb."""
    parser = verbs.add_parser("record", help="write what was seen, to replay and tune", description=summary(__doc__))
    add_chain(parser)
    parser.add_argument("out", type=Path, metavar="OUT.jsonl", help="the recording; an older one is replaced")
    parser.add_argument("--max-frames", type=count, metavar="N", help="end after N processed frames")
    parser.add_argument("--quiet", action="store_true", help="print no events")
    parser.set_defaults(main=main)


def main(arguments: argparse.Namespace) -> int:
    """Run without log file, broker and page; they would say the same things twice."""
    # A recording must see every observation, and consents of a page would leave gaps in it.
    no_page = {"web.enabled": False, "web.consent_gate": False}
    overrides = {"log.file": "", "mqtt.host": "", **no_page, "console.enabled": not arguments.quiet}
    config = configured(arguments, {**chain_overrides(arguments), **overrides})
    refuse_same_file(config.source.uri, arguments.out)
    logging.getLogger().setLevel(config.service.log_level.upper())
    forbid_core_dumps()
    stop = StopRequest()
    stop_on_signals(stop)
    frames = record(config, arguments.out, stop=stop, max_frames=arguments.max_frames)
    logging.getLogger(__name__).info("%s: %d frames", arguments.out, frames)
    return 0


def record(config: Config, out: Path, *, stop: threading.Event, max_frames: int | None = None) -> int:
    """Run the service of a configuration with a recorder that looks on.

    Returns:
        Number of recorded frames.
    """
    # Imported here: --help must not load OpenCV.
    from contextlib import ExitStack

    from edge_runtime.recording import RECORDING_SCHEMA, Header, Recorder
    from edge_runtime.service import Service
    from edge_runtime.surroundings import Surroundings
    from edge_runtime.wiring import Pipeline, open_sinks, open_source, thresholds_of

    with ExitStack() as stack:
        pipeline = stack.enter_context(Pipeline.from_config(config))
        source = open_source(config.source)
        recorder = stack.enter_context(Recorder(out))
        around = Surroundings(stop=stop, audience=recorder, max_frames=max_frames)
        sinks = [stack.enter_context(sink) for sink in open_sinks(config, around.clock, live=source.live)]
        service = Service(config, pipeline, source, [*sinks, recorder], around)
        recorder.begin(
            lambda: Header(
                schema=RECORDING_SCHEMA,
                device_id=service.identity.device_id,
                source=service.identity.source,
                live=source.live,
                boot_id=service.identity.boot_id,
                started_utc=around.clock.utc(),
                clock_synced=around.clock.synchronized(),
                thresholds=thresholds_of(pipeline.parts.policy),
                window_s=pipeline.parts.policy.window_s or 0.0,
                model=service.identity.model,
            )
        )
        service.run()
        return recorder.frames
