"""`emotion-convert train`: train one net by one recipe; called again, it goes on where it was stopped."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from converter.commands.data import add_labels_flag
from converter.commands.tensorflow import load_tensorflow
from converter.console import note

if TYPE_CHECKING:
    import keras

    from converter.recipe import Recipe
    from converter.run_folder import RunFolder
    from converter.tasks import Task
    from converter.train import Trainer


def add(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    parser = verbs.add_parser("train", help="train a net; the same command goes on after a kill")
    parser.add_argument("recipe", metavar="RECIPE", help="keypoints, emotion, faces, or the path of a .toml")
    parser.add_argument(
        "--data", nargs="+", action="extend", required=True, type=Path, metavar="PATH", help=".npz, .csv or folder"
    )
    parser.add_argument(
        "--validation",
        nargs="+",
        action="extend",
        default=[],
        type=Path,
        metavar="PATH",
        help="faces: files to choose by, in the place of a share of --data",
    )
    parser.add_argument("--weights", type=Path, metavar="FILE", help="start from best.weights.h5 of another run")
    parser.add_argument("--run", required=True, type=Path, metavar="DIR", dest="run_dir", help="what it writes")
    parser.add_argument("--epochs", type=int, metavar="N", help="instead of the recipe's")
    parser.add_argument("--seed", type=int, metavar="N", help="instead of the recipe's")
    parser.add_argument("--threads", type=int, default=0, metavar="N", help="of TensorFlow; 0 = it chooses")
    add_labels_flag(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Train what is left to train."""
    load_tensorflow()
    import keras
    import tensorflow as tf

    from converter.run_folder import RunFolder
    from converter.tasks import prepare_run
    from converter.train import Trainer

    if args.threads:
        tf.config.threading.set_intra_op_parallelism_threads(args.threads)
    recipe = _recipe(args)
    folder = RunFolder(args.run_dir)
    folder.start(recipe, [*args.data, *args.validation], args.labels)
    if args.validation:
        _cut_by_file(folder, args.data, args.validation)
    keras.utils.set_random_seed(recipe.seed)
    note("reading %s", ", ".join(map(str, args.data)))
    task = prepare_run(folder)
    net = task.net()
    if args.weights:
        _start_from(args.weights, net, folder)
    note("%d faces to train on, %d to choose by, %d parameters", *_sizes(task), net.count_params())
    _train(Trainer(recipe, net, task.batches(), folder), task, folder)
    return 0


def _recipe(args: argparse.Namespace) -> Recipe:
    """Load the recipe and put the command line's values into it, so that the run folder holds what was done."""
    from converter.recipe import load_recipe, replaced

    return replaced(load_recipe(args.recipe), epochs=args.epochs, seed=args.seed)


def _cut_by_file(folder: RunFolder, training: list[Path], validation: list[Path]) -> None:
    """Write which rows are for choosing, where whole files are."""
    from converter.faces.data import split_rows
    from converter.run_folder import write_json

    if not folder.split_file.exists():
        write_json(folder.split_file, split_rows(training, validation))


def _start_from(weights: Path, net: keras.Model, folder: RunFolder) -> None:
    """Take another run's weights and note which; a checkpoint of this run, if there is one, replaces them."""
    from converter.run_folder import describe, write_json

    net.load_weights(weights)
    write_json(folder.inputs_file, folder.inputs() | {"weights": describe(weights)})


def _sizes(task: Task) -> tuple[int, int]:
    return len(task.training), len(task.validation)


def _train(trainer: Trainer, task: Task, folder: RunFolder) -> None:
    from converter.training_progress import EpochProgress

    trainer.fit(task.score, EpochProgress(task.recipe.training.epochs))
    best = max(folder.records(), key=lambda record: record["chosen_by"])
    note("done; best epoch %d, weights in %s", int(best["epoch"]) + 1, folder.weights_file)
