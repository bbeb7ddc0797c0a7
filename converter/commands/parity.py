"""`emotion-convert parity`: the int8 net against the float net, face by face; exit code 7 beyond the gate."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from converter.commands.data import add_labels_flag
from converter.commands.output import add_json_flag, answer
from converter.commands.tensorflow import load_tensorflow

if TYPE_CHECKING:
    from converter.datasets.types import EmotionData, KeypointData
    from edge_runtime.bundle import Bundle


_FACES_REMEDY = "faces nets are compared on the validation part of their run: give --run, and no --bundle and --data"


def add(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    parser = verbs.add_parser(
        "parity",
        help="compare int8 and float answers",
        description="Compare a run's two nets, or a bundle's int8 net with a float32 .tflite. "
        "Exit code 7 when int8 accuracy is below 99 % of float, or its RMSE above 1.01 x float.",
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--run", type=Path, metavar="DIR", dest="run_dir", help="a quantised run")
    what.add_argument("--bundle", type=Path, metavar="DIR", help="a bundle; needs --float and --data")
    parser.add_argument("--float", type=Path, metavar="FILE", dest="float_file", help="model_float32.tflite of its run")
    parser.add_argument("--data", type=Path, metavar="FILE", help="without it: the validation part of the run")
    add_labels_flag(parser)
    add_json_flag(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the comparison, then apply the gate."""
    from converter.comparison import compare_on
    from converter.drafts import read_model
    from converter.parity import require_parity
    from converter.run_folder import RunFolder
    from edge_runtime.interpreter import open_interpreter

    if args.run_dir is not None and RunFolder(args.run_dir).recipe().kind == "faces":
        return _compare_faces(args)
    bundle, float_file = _nets(args)
    figures = compare_on(bundle, read_model(float_file), _faces(args, bundle))
    answer({"runtime": open_interpreter(bundle.model).runtime, **figures}, as_json=args.json)
    require_parity(figures)
    return 0


def _compare_faces(args: argparse.Namespace) -> int:
    """Compare the two nets of a faces run by their average precision."""
    load_tensorflow()
    from converter.faces.judgement import judge_faces
    from converter.faces.task import FacesTask
    from converter.parity import require_parity
    from converter.run_folder import RunFolder
    from converter.tasks import prepare_run

    folder = RunFolder(args.run_dir)
    task = prepare_run(folder)
    if isinstance(task, FacesTask):
        figures = judge_faces(folder, task)[-1]
        answer(figures, as_json=args.json)
        require_parity(figures)
    return 0


def _nets(args: argparse.Namespace) -> tuple[Bundle, Path]:
    from converter.drafts import run_bundle
    from converter.run_folder import RunFolder
    from edge_runtime.bundle import load_bundle
    from edge_runtime.errors import UsageError

    if args.run_dir is not None:
        folder = RunFolder(args.run_dir)
        return run_bundle(folder), args.float_file or folder.float_tflite_file
    if args.float_file is None or args.data is None:
        raise UsageError("--bundle needs --float model_float32.tflite of its run, and --data FILE")
    bundle = load_bundle(args.bundle)
    if bundle.manifest.kind == "faces":
        raise UsageError(_FACES_REMEDY)
    return bundle, args.float_file


def _faces(args: argparse.Namespace, bundle: Bundle) -> EmotionData | KeypointData:
    from converter.comparison import read_faces
    from converter.run_folder import RunFolder

    if args.data is not None:
        return read_faces(bundle, args.data, args.labels)
    load_tensorflow()
    from converter.faces.data import DetectionData
    from converter.tasks import prepare_run
    from edge_runtime.errors import UsageError

    faces = prepare_run(RunFolder(args.run_dir)).validation
    if isinstance(faces, DetectionData):
        raise UsageError(_FACES_REMEDY)
    return faces
