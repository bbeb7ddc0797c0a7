"""`emotion-edge tune`: show how the events of a recording change with thresholds, hold, minimum time and window."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from edge_runtime.cli.options import Verbs, add_config, add_json, configured, summary

if TYPE_CHECKING:
    from edge_runtime.tuning import Outcome

_FLAGS = {
    "enter": "support from which a label may start",
    "exit": "support below which it may end",
    "hold_s": "seconds without support before it ends",
    "min_time_s": "seconds that it must lead before it starts",
    "window_s": "time constant of the smoothing of scores, seconds",
}
_TITLE = "varied       enter   exit  hold_s  min_time_s  window_s   events/min  flips/min  answered"


def add(verbs: Verbs) -> None:
    """Add the verb."""
    parser = verbs.add_parser("tune", help="compare thresholds on a recording", description=summary(__doc__))
    parser.add_argument("file", type=Path, metavar="FILE", help="what `emotion-edge record` wrote")
    add_config(parser)
    for setting, meaning in _FLAGS.items():
        flag = "--" + setting.removesuffix("_s").replace("_", "-")
        parser.add_argument(
            flag, dest=setting, type=_numbers, metavar="A,B,...", help=f"values of policy.{setting}: {meaning}"
        )
    add_json(parser)
    parser.set_defaults(main=main)


def main(arguments: argparse.Namespace) -> int:
    """Print one row per set of thresholds: the ones in use first, then one setting after the other."""
    from edge_runtime.recording import load_recording
    from edge_runtime.replay import under_policy
    from edge_runtime.tuning import SETTINGS, outcomes, usual_values

    recording = load_recording(arguments.file)
    base = recording.header.thresholds
    if arguments.config is not None:
        recording, base = under_policy(recording, configured(arguments).policy)
    asked = {setting: getattr(arguments, setting) for setting in SETTINGS if getattr(arguments, setting)}
    found = list(outcomes(recording, base, asked or usual_values(base)))
    if arguments.json:
        frames = recording.frames
        seconds = round(frames[-1].captured_at - frames[0].captured_at, 3)
        rows = [outcome.as_dict() for outcome in found]
        print(json.dumps({"file": str(arguments.file), "frames": len(frames), "seconds": seconds, "outcomes": rows}))
    else:
        print(_as_table(found))
    return 0


def _as_table(found: list[Outcome]) -> str:
    rows = [_TITLE]
    for outcome in found:
        limits = outcome.thresholds
        rows.append(
            f"{outcome.varied or 'in use':10}  {limits.enter:6.3f} {limits.exit:6.3f}  {limits.hold_s:6.2f}  "
            f"{limits.min_time_s:10.2f}  {outcome.window_s:8.2f}   {outcome.events_per_minute:10.1f}  "
            f"{outcome.flips_per_minute:9.1f}  {outcome.answered_share:8.1%}"
        )
    return "\n".join(rows)


def _numbers(text: str) -> tuple[float, ...]:
    try:
        numbers = tuple(float(part) for part in text.split(","))
    except ValueError:
        numbers = (-1.0,)
    if not all(0.0 <= number < float("inf") for number in numbers):
        raise argparse.ArgumentTypeError(f"expected numbers from 0 with commas between, found {text!r}")
    return numbers
