"""`python -m benchmarks [NAME [ITS ARGUMENTS]]`: run one benchmark, or those that `make bench` runs."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from pathlib import Path

QUICK = ("nets", "chain", "footprint")
"""What `make bench` runs: a few minutes in all."""

NAMES = tuple(
    module.name
    for module in pkgutil.iter_modules([str(Path(__file__).parent)])
    if module.name not in ("__main__", "environment")
)


def main(arguments: list[str]) -> int:
    """Run benchmarks one after the other; one that is named reads its own arguments from sys.argv.

    Returns:
        The benchmark's exit code; 2 for a name that is none.
    """
    names = f"the names are {', '.join(NAMES)}"
    if arguments[:1] in (["-h"], ["--help"]):
        print(f"usage: python -m benchmarks [NAME [ITS ARGUMENTS]]\n{names}; without one: {', '.join(QUICK)}")
        return 0
    if arguments and arguments[0] not in NAMES:
        print(f"benchmarks: found {arguments[0]!r}, expected the name of a benchmark; {names}", file=sys.stderr)
        return 2
    for name in arguments[:1] or QUICK:
        print(f"== {name}")
        failed = importlib.import_module(f"benchmarks.{name}").main()
        if failed:
            return int(failed)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
