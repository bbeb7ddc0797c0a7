"""Appends events to an outbox and says on standard output which are accepted, until it is killed."""

from __future__ import annotations

import sys

from edge_runtime.clock import SystemClock
from edge_runtime.outbox import Outbox
from edge_runtime.settings import Outbox as Settings
from tests.samples import event_message


def main(path: str, first_seq: int) -> None:
    """Append from `first_seq` on; after every commit print how far it went."""
    with Outbox(Settings(path=path, commit_ms=10), clock=SystemClock()) as outbox:
        seq = first_seq
        while True:
            for _ in range(7):
                outbox.append(event_message(seq))
                seq += 1
            if outbox.flush(30.0):
                sys.stdout.write(f"{seq - 1}\n")
                sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
