"""A run's int8 net as a bundle in memory, so that it is judged by the same code before it is exported."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

import msgspec

from converter.calibration_list import read_calibration
from converter.errors import RunError
from converter.recipe import Recipe
from converter.run_folder import RunFolder
from edge_runtime.bundle import MODEL_FILE, Bundle
from edge_runtime.contract import EMOTION_LABELS, INPUT_SIZE_PX, KEYPOINT_COUNT, NONE_OUTPUT
from edge_runtime.interpreter import open_interpreter
from edge_runtime.manifest import Input, Manifest, Output, Policy, Quantized, TrainingData

FRAMING = {
    "keypoints": "square around the face, side about 1.5 x that of the box of the 15 points, which lies a little low",
    "emotion": "upright face as FER2013 frames it, sampled at 48 x 48 and enlarged to 96 x 96 with INTER_LINEAR",
    "faces": "a whole grey frame, shrunk into the upper left corner, the rest black",
}
MODE = "post-training, full integer, int8 in and out"
DRAFT_VERSION = "0.0.0-draft"


def read_model(path: Path) -> bytes:
    """Read a .tflite of a run."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise RunError(f"{path}: missing; make it with `emotion-convert quantize --run {path.parent}`") from error


def run_bundle(run: RunFolder, *, version: str = DRAFT_VERSION, policy: Policy | None = None) -> Bundle:
    """Put a quantised run's int8 net and what is known of it into a bundle that was never written.

    Args:
        run: where `quantize` has been.
        version: of the bundle.
        policy: how answers become labels; None = defaults.
    """
    listed, model = read_calibration(run), read_model(run.tflite_file)
    return draft_bundle(run, model, calibration_count=len(listed.pictures), version=version, policy=policy)


def draft_bundle(
    run: RunFolder,
    model: bytes,
    *,
    calibration_count: int,
    version: str = DRAFT_VERSION,
    policy: Policy | None = None,
) -> Bundle:
    """Do the same with any int8 net of the run's recipe."""
    recipe, inputs = run.recipe(), run.inputs()
    manifest = Manifest(
        kind=recipe.kind,
        name=recipe.name,
        version=version,
        created_at=datetime.now(timezone.utc).isoformat(timespec="seconds").replace("+00:00", "Z"),
        input=Input(shape=_input_shape(recipe, model), framing=FRAMING[recipe.kind]),
        output=_output(recipe, model),
        labels=EMOTION_LABELS if recipe.kind == "emotion" else (),
        policy=policy or Policy(),
        quantization=Quantized(mode=MODE, calibration_count=calibration_count, converter_versions=inputs["libraries"]),
        training_data=tuple(TrainingData(name=entry["name"], sha256=entry["sha256"]) for entry in inputs["data"]),
        recipe=msgspec.to_builtins(recipe),
    )
    return Bundle(run.path, manifest, {MODEL_FILE: model})


def _input_shape(recipe: Recipe, model: bytes) -> tuple[int, int, int, int]:
    if recipe.kind == "faces":
        _, height, width, _ = open_interpreter(model).input_shape
        return 1, height, width, 1
    return 1, INPUT_SIZE_PX, INPUT_SIZE_PX, 1


def _output(recipe: Recipe, model: bytes) -> Output:
    if recipe.kind == "faces":
        shapes = open_interpreter(model).output_shapes
        cells = sum(shape[1] * shape[2] for shape in shapes if shape[-1] == 1)
        return Output(shape=(1, cells, 5))
    if recipe.kind == "keypoints":
        return Output(shape=(1, 2 * KEYPOINT_COUNT))
    names = tuple(name if name in EMOTION_LABELS else NONE_OUTPUT for name in recipe.data.outputs)
    return Output(shape=(1, len(names)), names=names)
