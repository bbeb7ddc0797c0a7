"""`python -m benchmarks [NAME ...]`: run the named benchmarks, or those that `make bench` runs."""

from __future__ import annotations

import importlib
import sys

QUICK = ("nets", "chain", "footprint")
"""What `make bench` runs: a few minutes in all."""


def main(names: list[str]) -> int:
    """Run benchmarks one after the other."""
    for name in names or QUICK:
        print(f"== {name}")
        failed = importlib.import_module(f"benchmarks.{name}").main()
        if failed:
            return int(failed)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
