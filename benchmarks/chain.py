"""The whole chain on the demo source: milliseconds of every stage, through `emotion-edge bench`."""

from __future__ import annotations

import json
import subprocess
import sys

from benchmarks.environment import write


def main() -> int:
    """Measure and write results/chain.json."""
    command = [sys.executable, "-m", "edge_runtime", "bench", "--source", "demo", "--frames", "280", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    write("chain", "python -m benchmarks chain", {"bench": json.loads(done.stdout)})
    return 0


if __name__ == "__main__":
    sys.exit(main())
