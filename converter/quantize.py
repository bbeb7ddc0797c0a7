"""From trained weights to .tflite: full-integer int8 for the device, float32 to measure it against."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from converter.calibration import calibration_inputs, candidate_lists, judging_rows
from converter.calibration_list import CalibrationList
from converter.comparison import compare_on
from converter.console import note, track
from converter.drafts import draft_bundle
from converter.errors import RunError
from converter.flatbuffer import with_output_range, with_short_names
from converter.parity import mean_difference
from converter.run_folder import RunFolder
from converter.tasks import CropTask, Task
from edge_runtime.contract import INPUT_SIZE_PX
from edge_runtime.interpreter import open_interpreter

_JUDGES = 256


def trained_net(run: RunFolder, task: Task) -> keras.Model:
    """Build the net of a run with its best weights, for one picture at a time."""
    net = task.net()
    net.load_weights(run.weights_file)
    # A fixed batch of one: the Edge TPU compiler refuses an open one.
    face = keras.Input(batch_shape=(1, INPUT_SIZE_PX, INPUT_SIZE_PX, 1), name="face")
    return keras.Model(face, net(face, training=False))


def to_float_tflite(net: keras.Model) -> bytes:
    """Convert without any change of arithmetic."""
    return bytes(tf.lite.TFLiteConverter.from_keras_model(net).convert())


def to_int8_tflite(net: keras.Model, pictures: NDArray[np.uint8]) -> bytes:
    """Convert to int8 throughout, input and output included.

    Args:
        net: takes (1, 96, 96, 1) in [0, 1].
        pictures: (N, 96, 96) that fix the ranges; 0 and 255 must occur in one of them.

    Raises:
        ContractError: a pixel would not be stored as `pixel - 128` (scale 1/255, zero point -128).
    """

    def examples() -> Iterator[list[NDArray[np.float32]]]:
        for picture in pictures:
            yield [picture[np.newaxis, ..., np.newaxis].astype(np.float32) / 255.0]  # (1, 96, 96, 1) in [0, 1]

    maker = tf.lite.TFLiteConverter.from_keras_model(net)
    maker.optimizations = [tf.lite.Optimize.DEFAULT]
    maker.representative_dataset = examples
    maker.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    maker.inference_input_type = maker.inference_output_type = tf.int8
    # The Edge TPU takes dense layers with one scale per tensor only.
    maker._experimental_disable_per_channel_quantization_for_dense_layers = True  # noqa: SLF001  there is no public name
    with warnings.catch_warnings():
        # TensorFlow says so on every int8 conversion, also when there are examples.
        warnings.filterwarnings("ignore", message="Statistics for quantized inputs were expected")
        model = with_short_names(bytes(maker.convert()))
    open_interpreter(model)  # refuses an input that is not stored as pixel - 128
    return model


def best_int8_tflite(
    run: RunFolder, task: CropTask, net: keras.Model, float_model: bytes, *, candidates: int
) -> tuple[bytes, CalibrationList]:
    """Quantise with several calibration lists and keep the net that is nearest to the float net.

    All lists, and the faces on which the nets are compared, are of the training part.
    """
    judges = task.training.take(judging_rows(task, _JUDGES))
    best: tuple[float, bytes, CalibrationList] | None = None
    for listed in track(candidate_lists(run, task, candidates), "quantizing"):
        model = to_int8_tflite(net, calibration_inputs(listed, task))
        if task.output_range is not None:
            model = with_output_range(model, *task.output_range)
        bundle = draft_bundle(run, model, calibration_count=len(listed.pictures))
        distance = mean_difference(compare_on(bundle, float_model, judges))
        note("%d calibration pictures: mean difference to the float net %.5f", len(listed.pictures), distance)
        if best is None or distance < best[0]:
            best = distance, model, listed
    if best is None:
        raise RunError(f"{run.path}: nothing to calibrate with")
    return best[1], best[2]
