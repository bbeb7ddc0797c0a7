"""What nets answer on many faces: the int8 net through the code of the device, the float net beside it."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from converter.batches import pixel_points
from converter.console import track
from edge_runtime.bundle import Bundle
from edge_runtime.interpreter import open_interpreter
from edge_runtime.models import EmotionModel, KeypointModel
from edge_runtime.preprocess import enlarge

Pictures = NDArray[np.uint8]
Answer = NDArray[np.float32]


def int8_logits(bundle: Bundle, faces: Pictures, *, threads: int = 1) -> Answer:
    """(N, h, w) grey faces -> (N, K) logits, the five answers first."""
    model = EmotionModel(bundle, open_interpreter(bundle.model, threads=threads))
    return _each(model.logits, faces, "int8 net")


def int8_points(bundle: Bundle, crops: Pictures, *, threads: int = 1) -> Answer:
    """(N, 96, 96) grey crops -> (N, 15, 2) pixels of the crop."""
    model = KeypointModel(bundle, open_interpreter(bundle.model, threads=threads))
    return _each(model.points, crops, "int8 net")


def float_logits(model: bytes, faces: Pictures, *, threads: int = 1) -> Answer:
    """(N, h, w) grey faces -> (N, K) logits of a float32 .tflite, in its own order, the five answers first."""
    return _each(_float_net(model, threads), faces, "float net")


def float_points(model: bytes, crops: Pictures, *, threads: int = 1) -> Answer:
    """(N, 96, 96) grey crops -> (N, 15, 2) pixels of the crop, by a float32 .tflite."""
    return pixel_points(_each(_float_net(model, threads), crops, "float net"))


def _each(answer: Callable[[Pictures], Answer], faces: Pictures, title: str) -> Answer:
    return np.stack([answer(face) for face in track(list(faces), title)])


def _float_net(model: bytes, threads: int) -> Callable[[Pictures], Answer]:
    interpreter = _interpreter_class()(model_content=model, num_threads=threads)
    interpreter.allocate_tensors()
    source = interpreter.get_input_details()[0]["index"]
    target = interpreter.get_output_details()[0]["index"]

    def answer(face: Pictures) -> Answer:
        real = enlarge(face).astype(np.float32)[np.newaxis, ..., np.newaxis] / 255.0  # (1, 96, 96, 1) in [0, 1]
        interpreter.set_tensor(source, real)
        interpreter.invoke()
        return np.array(interpreter.get_tensor(target)[0], np.float32)

    return answer


def _interpreter_class() -> Any:  # noqa: ANN401  both packages come without types
    """Take what the device would take: LiteRT, or tflite-runtime where there is no LiteRT."""
    try:
        return importlib.import_module("ai_edge_litert.interpreter").Interpreter
    except ImportError:
        return importlib.import_module("tflite_runtime.interpreter").Interpreter
