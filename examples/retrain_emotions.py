"""Train the emotion net on your own pictures and make the bundle that a device runs.

    my_faces/angry/*.png  my_faces/happy/*.png ...      one folder per class, faces cut out, all of one size
    python examples/retrain_emotions.py my_faces --run runs/mine --out bundles/mine

Add folders `neutral` and `fear` if you can: they teach the net when none of the five labels fits. Classes that are
missing are never answered well, so give all five. It may be stopped at any time: the same command goes on.
The recipe is `emotion-base`, a training from nothing; `emotion` goes on from one with a teacher: docs/training.md.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from converter.__main__ import main as emotion_convert
from edge_runtime.bundle import load_bundle


def main(argv: list[str] | None = None) -> int:
    """Look at the data, train, make the net int8, export; stop at the first step that fails."""
    parser = argparse.ArgumentParser(description="Train the emotion net on your own folders of pictures.")
    parser.add_argument("pictures", type=Path, help="folder of class folders")
    parser.add_argument("--run", type=Path, default=Path("runs/mine"), help="where the training keeps its state")
    parser.add_argument("--out", type=Path, default=Path("bundles/mine"), help="the new bundle")
    parser.add_argument("--recipe", default="emotion-base", help="`emotion-base` as shipped, or a TOML file")
    arguments = parser.parse_args(argv)
    pictures, run, out = str(arguments.pictures), str(arguments.run), str(arguments.out)

    steps = (
        ["data", "check", pictures],
        ["train", arguments.recipe, "--data", pictures, "--run", run],
        ["quantize", "--run", run],
        ["export", "--run", run, "--out", out, "--version", "1.0.0", "--terms", "pictures of our own"],
    )
    for step in steps:
        print("emotion-convert", *step, flush=True)
        code = emotion_convert(step)
        if code:
            return code
    bundle = load_bundle(arguments.out, kind="emotion")
    print(f"{bundle.manifest.name} {bundle.manifest.version}: emotion-edge run --source camera --emotion-model {out}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
