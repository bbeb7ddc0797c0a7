"""`emotion-edge outbox`: look at the events that wait on disk, send acknowledged ones again, delete them."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import msgspec

from edge_runtime.cli.options import Verbs, add_config, add_json, configured, summary
from edge_runtime.errors import UsageError


def add(verbs: Verbs) -> None:
    """Add the verb."""
    parser = verbs.add_parser("outbox", help="show, replay or purge stored events", description=summary(__doc__))
    actions = parser.add_subparsers(title="actions", required=True, metavar="ACTION")
    show = actions.add_parser("show", help="print what is stored: counts and the newest events")
    show.add_argument("--rows", type=int, default=20, metavar="N", help="newest events to print (default: 20)")
    replay = actions.add_parser("replay", help="send acknowledged events again, marked `replayed`")
    replay.add_argument("--from", dest="from_seq", type=int, required=True, metavar="SEQ", help="from this number on")
    purge = actions.add_parser("purge", help="delete acknowledged events")
    purge.add_argument("--everything", action="store_true", help="also those that the broker never got")
    for action, main in ((show, show_main), (replay, replay_main), (purge, purge_main)):
        add_config(action)
        action.add_argument("--path", type=Path, metavar="FILE", help="the database (default: outbox.path)")
        add_json(action)
        action.set_defaults(main=main)


def show_main(arguments: argparse.Namespace) -> int:
    """Print counts and the newest events, oldest of them first."""
    from edge_runtime.outbox import inspection

    path = _path(arguments)
    counts, newest = inspection.summary(path), inspection.rows(path, limit=arguments.rows)
    if arguments.json:
        print(msgspec.json.encode({"summary": counts, "rows": newest}).decode())
        return 0
    print(f"{counts.path}: {counts.waiting} waiting, {counts.sent} sent, {counts.payload_bytes / 1e6:.2f} MB")
    for row in newest:
        state = "waiting" if row.waiting else "sent   "
        print(f"{row.seq:8}  {state}  {row.time}  {row.event_type:16} {row.boot_id[:8]} #{row.event_seq}")
    return 0


def replay_main(arguments: argparse.Namespace) -> int:
    """Mark events to be sent again; a running service notices within seconds."""
    from edge_runtime.outbox import inspection

    return _tell(arguments, "to be sent again", inspection.replay(_path(arguments), from_seq=arguments.from_seq))


def purge_main(arguments: argparse.Namespace) -> int:
    """Delete events."""
    from edge_runtime.outbox import inspection

    delete = inspection.purge_everything if arguments.everything else inspection.purge_sent
    return _tell(arguments, "deleted", delete(_path(arguments)))


def _tell(arguments: argparse.Namespace, what: str, count: int) -> int:
    print(json.dumps({"events": count}) if arguments.json else f"{count} events {what}")
    return 0


def _path(arguments: argparse.Namespace) -> Path:
    if arguments.path is not None:
        return Path(arguments.path)
    configured_path = configured(arguments).outbox.path
    if not configured_path:
        raise UsageError("no outbox: outbox.path is empty; set it in the configuration, or give --path FILE")
    return Path(configured_path)
