"""`emotion-convert data check`: count what data files hold and draw a contact sheet."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from converter.commands.output import add_json_flag, answer
from converter.console import note
from converter.errors import DataError


def add(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    parser = verbs.add_parser("data", help="look at data files")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    check = actions.add_parser("check", help="count classes, parts, missing points, boxes and copies")
    check.add_argument("paths", nargs="+", type=Path, metavar="PATH", help=".npz, .csv or folder of class folders")
    add_labels_flag(check)
    check.add_argument("--sheet", type=Path, metavar="OUT.png", help="draw some faces of every class, source or size")
    add_json_flag(check)
    check.set_defaults(run=run)


def add_labels_flag(parser: argparse.ArgumentParser) -> None:
    """Add `--labels`."""
    parser.add_argument(
        "--labels",
        choices=("fer7", "five"),
        help="what the numbers 0..4 of a CSV file mean: FER2013's seven classes or this project's five",
    )


def run(args: argparse.Namespace) -> int:
    """Print the summary and draw the sheet."""
    from converter.datasets.read import KIND_NAMES, kind_of

    kinds = sorted({kind_of(path) for path in args.paths})
    if len(kinds) > 1:
        held = ", ".join(f"some {KIND_NAMES[kind]}" for kind in kinds)
        raise DataError(f"the paths hold {held}; check them one after the other")
    checks = {"emotion": _check_emotion, "keypoints": _check_keypoints, "detection": _check_detection}
    answer(checks[kinds[0]](args), as_json=args.json)
    return 0


def _check_emotion(args: argparse.Namespace) -> dict[str, Any]:
    import numpy as np

    from converter.datasets.contact_sheet import emotion_sheet
    from converter.datasets.read import read_emotion
    from converter.datasets.summary import summarize_emotion

    data = read_emotion(args.paths, args.labels)
    if args.sheet:
        _write_png(args.sheet, emotion_sheet(data, np.random.default_rng(0)))
    return summarize_emotion(data)


def _check_keypoints(args: argparse.Namespace) -> dict[str, Any]:
    import numpy as np

    from converter.datasets.contact_sheet import keypoint_sheet
    from converter.datasets.read import read_keypoints
    from converter.datasets.summary import summarize_keypoints

    data = read_keypoints(args.paths)
    if args.sheet:
        _write_png(args.sheet, keypoint_sheet(data, np.random.default_rng(0)))
    return summarize_keypoints(data)


def _check_detection(args: argparse.Namespace) -> dict[str, Any]:
    import numpy as np

    from converter.faces.data import read_detection
    from converter.faces.summary import detection_sheet, summarize_detection

    data = read_detection(args.paths)
    if args.sheet:
        _write_png(args.sheet, detection_sheet(data, np.random.default_rng(0)))
    return summarize_detection(data)


def _write_png(path: Path, sheet: Any) -> None:  # noqa: ANN401  numpy is imported only when a verb runs
    import cv2

    encoded = cv2.imencode(".png", sheet)[1]
    path.write_bytes(encoded.tobytes())
    note("wrote %s; it shows people, so keep it where the data is", path)
