"""`emotion-convert quantize`: the best weights of a run as int8 and as float32 .tflite."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from converter.commands.output import add_json_flag, answer
from converter.commands.tensorflow import load_tensorflow

if TYPE_CHECKING:
    from converter.faces.task import FacesTask
    from converter.run_folder import RunFolder


def add(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    parser = verbs.add_parser("quantize", help="make the int8 net of a run, and its float32 twin")
    parser.add_argument("--run", required=True, type=Path, metavar="DIR", dest="run_dir")
    parser.add_argument(
        "--candidates", type=int, default=6, metavar="N", help="calibration lists to choose from (default 6)"
    )
    parser.add_argument(
        "--input", default="320x256", metavar="WxH", help="faces: size of the net's input, multiples of 32"
    )
    add_json_flag(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write model.tflite, model_float32.tflite and calibration.json into the run folder."""
    load_tensorflow()
    import keras

    from converter.calibration_list import write_calibration
    from converter.faces.task import FacesTask
    from converter.quantize import best_int8_tflite, to_float_tflite, trained_net
    from converter.run_folder import RunFolder
    from converter.tasks import prepare_run
    from edge_runtime.errors import UsageError

    if args.candidates < 1:
        raise UsageError(f"--candidates: expected 1 or more, found {args.candidates}")
    keras.config.disable_interactive_logging()  # else Keras describes every conversion on standard output
    folder = RunFolder(args.run_dir)
    task = prepare_run(folder)
    if isinstance(task, FacesTask):
        return _quantize_faces(args, folder, task)
    net = trained_net(folder, task)
    float_model = to_float_tflite(net)
    int8_model, listed = best_int8_tflite(folder, task, net, float_model, candidates=args.candidates)
    write_calibration(folder, listed)
    folder.float_tflite_file.write_bytes(float_model)
    folder.tflite_file.write_bytes(int8_model)
    sizes = {path.name: path.stat().st_size for path in (folder.tflite_file, folder.float_tflite_file)}
    answer(
        {"parameters": net.count_params(), "calibration_count": len(listed.pictures), "bytes": sizes}, as_json=args.json
    )
    return 0


def _quantize_faces(args: argparse.Namespace, folder: RunFolder, task: FacesTask) -> int:
    """Do the same with a net that has no size of its own."""
    from converter.calibration_list import write_calibration
    from converter.commands.evaluate import frame_size
    from converter.faces.net import LARGEST_STRIDE
    from converter.faces.quantize import quantized
    from edge_runtime.errors import UsageError

    width, height = frame_size(args.input, flag="--input")
    if width % LARGEST_STRIDE or height % LARGEST_STRIDE:
        raise UsageError(f"--input: expected multiples of {LARGEST_STRIDE}, found {args.input}")
    float_model, int8_model, listed = quantized(folder, task, (height, width), candidates=args.candidates)
    write_calibration(folder, listed)
    folder.float_tflite_file.write_bytes(float_model)
    folder.tflite_file.write_bytes(int8_model)
    sizes = {path.name: path.stat().st_size for path in (folder.tflite_file, folder.float_tflite_file)}
    answer({"input": args.input, "calibration_count": len(listed.pictures), "bytes": sizes}, as_json=args.json)
    return 0
