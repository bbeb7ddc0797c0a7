"""`emotion-convert soften`: what a trained emotion net says of its own training pictures, for the next training."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from converter.commands.output import add_json_flag, answer
from converter.commands.tensorflow import load_tensorflow

if TYPE_CHECKING:
    from converter.run_folder import RunFolder
    from converter.tasks import EmotionTask

_COMPARED = ("data", "outputs", "training rows")


def add(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    parser = verbs.add_parser("soften", help="write a trained emotion net's answers as soft labels")
    parser.add_argument(
        "--run",
        required=True,
        nargs="+",
        type=Path,
        metavar="DIR",
        dest="run_dirs",
        help="finished runs of one data and seed; their answers are averaged",
    )
    parser.add_argument("--out", required=True, type=Path, metavar="FILE", help="the .npz it writes")
    add_json_flag(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Answer for every training picture and its mirror image, and write the means."""
    load_tensorflow()
    import numpy as np

    from converter.errors import RunError
    from converter.quantize import trained_net
    from converter.run_folder import RunFolder
    from converter.scoring import shares_of
    from converter.soft_labels import write_soft_labels
    from converter.tasks import EmotionTask, prepare_run

    folders = [RunFolder(path) for path in args.run_dirs]
    tasks: list[EmotionTask] = []
    for folder in folders:
        task = prepare_run(folder)
        if not isinstance(task, EmotionTask):
            raise RunError(f"{folder.path}: expected a run of an emotion net, found {task.recipe.kind}")
        tasks.append(task)
        for what, found, expected in zip(_COMPARED, _fed(folder, task), _fed(folders[0], tasks[0]), strict=True):
            if found != expected:
                raise RunError(
                    f"{folder.path}: expected the {what} of {folders[0].path}, found others; soften runs of one data, "
                    "seed and list of outputs together"
                )
    pictures = tasks[0].training.images
    shares = [shares_of(trained_net(folder, task), pictures) for folder, task in zip(folders, tasks, strict=True)]
    teacher = {"teachers": [_provenance(folder) for folder in folders]}
    count = write_soft_labels(args.out, pictures, np.mean(shares, axis=0), teacher)
    answer({"pictures": count, "bytes": args.out.stat().st_size} | teacher, as_json=args.json)
    return 0


def _fed(folder: RunFolder, task: EmotionTask) -> tuple[object, ...]:
    """What must be the same in all runs, in the order of _COMPARED."""
    return [entry["sha256"] for entry in folder.inputs()["data"]], task.recipe.data.outputs, task.training_rows


def _provenance(folder: RunFolder) -> dict[str, object]:
    from converter.run_folder import describe

    recipe, inputs = folder.recipe(), folder.inputs()
    return {
        "recipe": recipe.name,
        "seed": recipe.seed,
        "epochs": len(folder.records()),
        "weights_sha256": describe(folder.weights_file)["sha256"],
        "data": [{key: entry[key] for key in ("name", "sha256")} for entry in inputs["data"]],
        "chosen_by": max(record["chosen_by"] for record in folder.records()),
    }
