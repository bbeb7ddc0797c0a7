"""`emotion-convert evaluate`: judge a bundle's int8 net on any data file."""

from __future__ import annotations

import argparse
from pathlib import Path

from converter.commands.data import add_labels_flag
from converter.commands.output import add_json_flag, answer


def add(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    parser = verbs.add_parser("evaluate", help="judge a bundle's int8 net on a data file")
    parser.add_argument("--bundle", required=True, type=Path, metavar="DIR", help="bundle folder or .emodel file")
    parser.add_argument("--data", required=True, type=Path, metavar="FILE", help=".npz, .csv or folder")
    parser.add_argument(
        "--part",
        choices=("public", "training", "all"),
        help="rows of a file that has `usage`; without it PublicTest where there is such a part, else all",
    )
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="of the interpreter")
    add_labels_flag(parser)
    add_json_flag(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the figures."""
    from converter.evaluation import evaluate_bundle
    from edge_runtime.bundle import load_bundle

    bundle = load_bundle(args.bundle)
    figures = evaluate_bundle(bundle, args.data, part=args.part, order=args.labels, threads=args.threads)
    about = {"model": bundle.manifest.name, "version": bundle.manifest.version, "data": str(args.data)}
    answer({**about, **figures}, as_json=args.json)
    return 0
