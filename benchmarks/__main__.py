"""`python -m benchmarks [NAME [ITS ARGUMENTS]]`: run one benchmark, or those that `make bench` runs."""

from __future__ import annotations

import importlib
import sys

QUICK = ("nets", "chain", "footprint")
"""What `make bench` runs: a few minutes in all."""


def main(arguments: list[str]) -> int:
    """Run benchmarks one after the other; one that is named reads its own arguments from sys.argv."""
    for name in arguments[:1] or QUICK:
        print(f"== {name}")
        failed = importlib.import_module(f"benchmarks.{name}").main()
        if failed:
            return int(failed)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
