"""100,000 damaged bundles: every one is refused before an interpreter sees a byte, and no loader dies of one.

python -m benchmarks corrupted_bundles [--count N]
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any, Final

from benchmarks.environment import ROOT, write
from edge_runtime.bundle import MODEL_FILE, builtin_bundle_path, load_bundle
from edge_runtime.errors import ModelError
from edge_runtime.interpreter import RUNTIMES, open_interpreter
from tests.bundle_damage import DAMAGES, same_contents, zip_bomb
from tests.tiny_bundles import emotion_bundle

BATCH: Final = 5000
"""Bundles that one loader process reads."""

SHIPPED_EVERY: Final = 50
"""Every so many bundles are made from the shipped emotion bundle instead of a small one."""

BOMBS_A_BATCH: Final = 2
BATCH_TIMEOUT_S: Final = 900.0


def main(arguments: list[str] | None = None) -> int:
    """Load them in processes of their own and write results/corrupted_bundles.json; 1 when one got through."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--batch", type=int, nargs=2, metavar=("SEED", "COUNT"), help=argparse.SUPPRESS)
    asked = parser.parse_args(sys.argv[2:] if arguments is None else arguments)
    if asked.batch:
        print(json.dumps(load_batch(*asked.batch)))
        return 0
    begun = time.monotonic()
    figures = _all_batches(asked.count)
    figures["seconds"] = round(time.monotonic() - begun, 1)
    write("corrupted_bundles", f"python -m benchmarks corrupted_bundles --count {asked.count}", figures)
    print({name: value for name, value in figures.items() if name != "refused_by_kind"})
    return 1 if figures["accepted_although_damaged"] or figures["other_errors"] or figures["loaders_that_died"] else 0


def _all_batches(count: int) -> dict[str, Any]:
    sums: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    errors: Counter[str] = Counter()
    seed = 0
    while sum(kinds.values()) < count:
        found = _in_a_process(seed, min(BATCH, count - sum(kinds.values())))
        seed += 1
        if found is None:
            sums["loaders_that_died"] += 1
            break
        kinds.update(found["refused_by_kind"])
        errors.update(found["refused_with"])
        sums.update(found["sums"])
        print(f"{sum(kinds.values())} refused", flush=True)
    names = ("accepted_although_damaged", "other_errors", "interpreters_loaded", "loaders_that_died", "not_damaged")
    return {
        "refused": sum(kinds.values()),
        **{name: sums[name] for name in names},
        "refused_with": dict(errors.most_common()),
        "refused_by_kind": dict(sorted(kinds.items())),
    }


def _in_a_process(seed: int, count: int) -> dict[str, Any] | None:
    command = [sys.executable, "-m", "benchmarks", "corrupted_bundles", "--batch", str(seed), str(count)]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, timeout=BATCH_TIMEOUT_S, check=False)
    if done.returncode:
        return None
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def load_batch(seed: int, count: int) -> dict[str, Any]:
    """Damage and load until so many are refused; a bundle that came out with the same files is not counted."""
    rng = random.Random(seed)  # noqa: S311
    small, shipped = emotion_bundle().files(), load_bundle(builtin_bundle_path("emotion")).files
    result = _Result()
    # In memory where there is such a place: an SD card would be worn for nothing.
    memory = Path("/dev/shm")  # noqa: S108
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        number = 0
        while result.refused < count:
            kind = rng.choice(list(DAMAGES)) if number >= BOMBS_A_BATCH else "zip_bomb"
            files = shipped if number % SHIPPED_EVERY == SHIPPED_EVERY - 1 else small
            place = Path(folder) / ("tiny.emodel" if kind.startswith("zip") else "tiny")
            {**DAMAGES, "zip_bomb": zip_bomb}[kind](place, files, rng)
            result.judge(kind, place, files)
            _remove(place)
            number += 1
        result.sums["files_left_behind"] += len(list(Path(folder).iterdir()))
    loaded = [name for name in RUNTIMES if name in sys.modules]
    result.sums["interpreters_loaded"] += len(loaded)
    return {"sums": result.sums, "refused_by_kind": result.kinds, "refused_with": result.errors}


class _Result:
    """Counts what became of every bundle."""

    def __init__(self) -> None:
        self.sums: Counter[str] = Counter()
        self.kinds: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()

    @property
    def refused(self) -> int:
        return self.kinds.total()

    def judge(self, kind: str, place: Path, files: dict[str, bytes]) -> None:
        """Load one bundle as `emotion-edge run` does."""
        try:
            bundle = load_bundle(place, kind="emotion")
        except ModelError as error:
            self.kinds[kind] += 1
            self.errors[type(error).__name__] += 1
            if str(place) not in str(error):
                self.sums["other_errors"] += 1
        except Exception as error:  # noqa: BLE001  anything else is a finding
            self.sums["other_errors"] += 1
            print(f"{kind}: {type(error).__name__}: {error}", file=sys.stderr)
        else:
            if same_contents(bundle.files, files):
                self.sums["not_damaged"] += 1
                return
            self.sums["accepted_although_damaged"] += 1
            print(f"{kind}: accepted although damaged", file=sys.stderr)
            open_interpreter(bundle.files[MODEL_FILE])


def _remove(place: Path) -> None:
    if place.is_dir():
        shutil.rmtree(place)
    else:
        place.unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(main())
