"""`emotion-edge replay`: make the events of a recording again, without camera and nets."""

from __future__ import annotations

import argparse
from pathlib import Path

from edge_runtime.cli.options import Verbs, add_config, add_json, configured, summary


def add(verbs: Verbs) -> None:
    """Add the verb."""
    parser = verbs.add_parser("replay", help="make the events of a recording again", description=summary(__doc__))
    parser.add_argument("file", type=Path, metavar="FILE", help="what `emotion-edge record` wrote")
    add_config(parser)
    add_json(parser, what="print the events themselves, one JSON object a line")
    parser.set_defaults(main=main)


def main(arguments: argparse.Namespace) -> int:
    """Print every event; without --config the thresholds are those of the recording."""
    from edge_runtime.recording import load_recording
    from edge_runtime.replay import replayed_events, under_policy
    from edge_runtime.sinks.console import event_line

    recording = load_recording(arguments.file)
    thresholds = recording.header.thresholds
    if arguments.config is not None:
        recording, thresholds = under_policy(recording, configured(arguments).policy)
    origin_s = recording.frames[0].captured_at if recording.header.live else 0.0
    for message in replayed_events(recording, thresholds):
        payload = message.to_json()
        print(payload.decode() if arguments.json else event_line(payload, origin_s=origin_s))
    return 0
