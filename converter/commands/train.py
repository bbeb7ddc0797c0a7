"""`emotion-convert train`: train one net by one recipe; called again, it goes on where it was stopped."""

from __future__ import annotations

import argparse
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from converter.commands.data import add_labels_flag
from converter.commands.tensorflow import load_tensorflow
from converter.console import note

if TYPE_CHECKING:
    import keras

    from converter.cluster import Workers
    from converter.recipe import Recipe
    from converter.run_folder import RunFolder
    from converter.tasks import Task
    from converter.train import Trainer

_SHIPPED = "shipped"

_STATISTICS_BATCHES = 8
"""Batches from which the normalisations of a bundle's net take their statistics."""


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
    start = parser.add_mutually_exclusive_group()
    start.add_argument(
        "--from-run",
        type=Path,
        metavar="DIR",
        help="start from the best weights of another run; blocks that its net lacks change next to nothing at first",
    )
    start.add_argument(
        "--from-bundle",
        type=Path,
        metavar="PATH",
        help="start from the int8 weights of a bundle that a recipe with the same net made: a path, or `shipped`",
    )
    parser.add_argument(
        "--soft-labels", type=Path, metavar="FILE", help="emotion: a teacher's answers, from `emotion-convert soften`"
    )
    parser.add_argument("--run", required=True, type=Path, metavar="DIR", dest="run_dir", help="what it writes")
    parser.add_argument("--epochs", type=int, metavar="N", help="instead of the recipe's")
    parser.add_argument("--seed", type=int, metavar="N", help="instead of the recipe's")
    parser.add_argument("--threads", type=int, default=0, metavar="N", help="of TensorFlow; 0 = it chooses")
    add_labels_flag(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Train what is left to train."""
    from edge_runtime.errors import UsageError

    if args.threads < 0:
        raise UsageError(f"--threads: expected 0 (TensorFlow chooses) or more, found {args.threads}")
    load_tensorflow()
    import tensorflow as tf

    from converter.cluster import SharedBatches, join_workers, share_of
    from converter.faces.fooled import with_fooled
    from converter.faces.task import FacesTask
    from converter.run_folder import RunFolder
    from converter.train import Trainer

    if args.threads:
        tf.config.threading.set_intra_op_parallelism_threads(args.threads)
    workers = join_workers()
    recipe = _recipe(args)
    _check_soft_labels(recipe, args.soft_labels)
    if args.validation and recipe.kind != "faces":
        raise UsageError(f"--validation: expected a recipe of faces, found one of {recipe.kind}; leave the flag out")
    folder = RunFolder(args.run_dir)
    with folder.untouched_by_failure():
        task = _prepared_in_turn(args, recipe, folder, workers)
        net = _first_net(args, task, folder)
        if isinstance(task, FacesTask):
            task = with_fooled(task, net, folder)
    note("%d faces to train on, %d to choose by, %d parameters", *_sizes(task), net.count_params())
    batches = task.batches()
    if workers.count > 1:
        note("worker %d of %d", workers.rank, workers.count)
        batches = SharedBatches(replace(task, recipe=share_of(recipe, workers)).batches(), workers)
    _train(Trainer(recipe, net, batches, folder, workers), task, folder)
    return 0


def _first_net(args: argparse.Namespace, task: Task, folder: RunFolder) -> keras.Model:
    """Build the net, with the weights to start from where some are given."""
    import keras

    from converter.run_folder import RunFolder

    keras.utils.set_random_seed(task.recipe.seed)
    keras.config.set_dtype_policy(task.recipe.training.precision)
    net = task.net()
    if args.from_run:
        _start_from(RunFolder(args.from_run), task, net, folder)
    if args.from_bundle:
        _start_from_bundle(args.from_bundle, task, net, folder)
    return net


def _prepared_in_turn(args: argparse.Namespace, recipe: Recipe, folder: RunFolder, workers: Workers) -> Task:
    """The first process writes the run folder; the others wait and read it."""
    import tensorflow as tf

    task = _prepared(args, recipe, folder) if workers.rank == 0 else None
    workers.mean([tf.constant(0.0)])
    return task or _prepared(args, recipe, folder)


def _prepared(args: argparse.Namespace, recipe: Recipe, folder: RunFolder) -> Task:
    from converter.tasks import prepare_run

    folder.start(recipe, [*args.data, *args.validation], args.labels, args.soft_labels)
    if args.validation:
        _cut_by_file(folder, args.data, args.validation)
    note("reading %s", ", ".join(map(str, args.data)))
    return prepare_run(folder)


def _recipe(args: argparse.Namespace) -> Recipe:
    """Load the recipe and put the command line's values into it, so that the run folder holds what was done."""
    from converter.recipe import load_recipe, replaced

    recipe = replaced(load_recipe(args.recipe), epochs=args.epochs, seed=args.seed)
    if args.from_bundle and args.soft_labels is None and recipe.training.soft_weight > 0:
        note("no --soft-labels: the labels alone are learnt; what a teacher said is in the bundle's weights")
        recipe = replaced(recipe, soft_weight=0.0)
    return recipe


def _check_soft_labels(recipe: Recipe, soft_labels: Path | None) -> None:
    """A recipe with a teacher and a file of its answers come together."""
    from converter.errors import RecipeError

    wanted = recipe.training.soft_weight > 0
    if wanted and soft_labels is None:
        raise RecipeError(
            f"training.soft_weight: {recipe.training.soft_weight} needs a teacher's answers; give --soft-labels FILE "
            "(made by `emotion-convert soften`), or set soft_weight = 0 in a recipe of your own"
        )
    if soft_labels is not None and not wanted:
        raise RecipeError("--soft-labels: the recipe does not use them; expected training.soft_weight above 0, found 0")


def _cut_by_file(folder: RunFolder, training: list[Path], validation: list[Path]) -> None:
    """Write which rows are for choosing, where whole files are."""
    from converter.faces.read import split_rows
    from converter.run_folder import write_json

    if not folder.split_file.exists():
        write_json(folder.split_file, split_rows(training, validation))


def _start_from(other: RunFolder, task: Task, net: keras.Model, folder: RunFolder) -> None:
    """Take another run's weights and note which; a checkpoint of this run, if there is one, replaces them."""
    from converter.errors import RecipeError, RunError
    from converter.resnet import grow
    from converter.run_folder import describe

    recipe, wanted = other.recipe(), task.recipe
    if (recipe.kind, recipe.data.outputs) != (wanted.kind, wanted.data.outputs):
        raise RecipeError(
            f"--from-run {other.path}: expected a run of {wanted.kind} with outputs {list(wanted.data.outputs)}, "
            f"found one of {recipe.kind} with {list(recipe.data.outputs)}; choose another run or another recipe"
        )
    if not other.weights_file.exists():
        raise RunError(f"--from-run {other.path}: has no {other.weights_file.name} yet; train it first")
    folder.note_weights(describe(other.weights_file))
    if recipe.model == task.recipe.model:
        net.load_weights(other.weights_file)
    else:
        smaller = replace(task, recipe=recipe).net()
        smaller.load_weights(other.weights_file)
        grow(net, smaller)


def _start_from_bundle(path: Path, task: Task, net: keras.Model, folder: RunFolder) -> None:
    """Take a bundle's weights, in float32 whatever the recipe trains in, and note which."""
    import keras
    import numpy as np

    from converter.bundle_weights import take_bundle_weights
    from edge_runtime.bundle import builtin_bundle_path, load_bundle

    keras.config.disable_interactive_logging()  # else Keras describes the conversion on standard output
    shipped = path == Path(_SHIPPED)
    bundle = load_bundle(builtin_bundle_path(task.recipe.kind) if shipped else path, kind=task.recipe.kind)
    name = f"{bundle.manifest.name} {bundle.manifest.version}"
    folder.note_weights({"name": name, "sha256": bundle.model_sha256})
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")
    plain = task.net()
    drawn = islice(task.batches().epoch(0), _STATISTICS_BATCHES)
    take_bundle_weights(plain, bundle, np.concatenate([pictures[..., 0] for pictures, _ in drawn]))
    keras.config.set_dtype_policy(policy)
    net.set_weights(plain.get_weights())


def _sizes(task: Task) -> tuple[int, int]:
    return len(task.training), len(task.validation)


def _train(trainer: Trainer, task: Task, folder: RunFolder) -> None:
    from converter.training_progress import EpochProgress

    trainer.fit(task.score, EpochProgress(task.recipe.training.epochs))
    best = max(folder.records(), key=lambda record: record["chosen_by"])
    note("done; best epoch %d, weights in %s", int(best["epoch"]) + 1, folder.weights_file)
