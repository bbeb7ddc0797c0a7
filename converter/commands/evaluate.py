"""`emotion-convert evaluate`: judge a bundle's int8 net on any data file."""

from __future__ import annotations

import argparse
from pathlib import Path

from converter.commands.data import add_labels_flag
from converter.commands.output import add_json_flag, answer


def add(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    parser = verbs.add_parser("evaluate", help="judge a bundle's int8 net on a data file")
    parser.add_argument(
        "--bundle", required=True, metavar="DIR", help="bundle folder or .emodel file; or haar, or yunet:PATH"
    )
    parser.add_argument(
        "--data", required=True, type=Path, metavar="FILE", help=".npz, .csv or folder; faces: with scenes.json"
    )
    parser.add_argument("--frame", default="640x480", metavar="WxH", help="faces: size of the frames, pixels")
    parser.add_argument(
        "--search-width", type=int, default=320, metavar="PX", help="haar, yunet: frames are shrunk to this width"
    )
    parser.add_argument(
        "--min-score", type=float, metavar="S", help="faces, yunet: instead of the bundle's own, of 0.6 for yunet"
    )
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
    from converter.faces.contenders import is_foreign
    from edge_runtime.bundle import load_bundle
    from edge_runtime.errors import UsageError

    if args.threads < 1:
        raise UsageError(f"--threads: expected 1 or more, found {args.threads}")
    if is_foreign(args.bundle):
        return _judge_detector(args)
    bundle = load_bundle(Path(args.bundle))
    if bundle.manifest.kind == "faces":
        return _judge_detector(args)
    figures = evaluate_bundle(bundle, args.data, part=args.part, order=args.labels, threads=args.threads)
    about = {"model": bundle.manifest.name, "version": bundle.manifest.version, "data": str(args.data)}
    answer({**about, **figures}, as_json=args.json)
    return 0


def _judge_detector(args: argparse.Namespace) -> int:
    """Print how a detector does on annotated pictures."""
    from converter.faces.contenders import open_contender
    from converter.faces.scenes import judge_detector, read_scenes

    width, height = frame_size(args.frame)
    detector = open_contender(
        args.bundle, search_width_px=args.search_width, min_score=args.min_score, threads=args.threads
    )
    figures = judge_detector(detector, read_scenes(args.data), width=width, height=height)
    answer({"detector": args.bundle, "data": str(args.data), **figures}, as_json=args.json)
    return 0


def frame_size(text: str, *, flag: str = "--frame") -> tuple[int, int]:
    """Read WxH; UsageError when it is none."""
    from edge_runtime.errors import UsageError

    width, _, height = text.partition("x")
    if not (width.isdecimal() and height.isdecimal() and int(width) > 0 and int(height) > 0):
        raise UsageError(f"{flag}: expected WxH in pixels, for instance 640x480, found {text!r}")
    return int(width), int(height)
