"""What faces nets answer: the int8 net through the interpreter of the device, the float net beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from ai_edge_litert.interpreter import Interpreter as LiteRt
from numpy.typing import NDArray

from converter.console import track
from converter.faces.data import DetectionData, Picture
from converter.faces.scoring import in_picture
from edge_runtime.close_ups import look_again
from edge_runtime.decode import Candidates, Level, logistic, pair_outputs, suppress
from edge_runtime.interpreter import open_interpreter
from edge_runtime.preprocess import fit_into
from edge_runtime.quantization import quantize_pixels

Net = Callable[[Picture], list[Level]]
"""(height, width) uint8 of the net's size -> answers, finest level first."""


class FloatNet:
    """A float32 .tflite."""

    def __init__(self, model: bytes) -> None:
        """Allocate it."""
        self._raw = LiteRt(model_content=model, num_threads=1)
        self._raw.allocate_tensors()
        self._source = self._raw.get_input_details()[0]["index"]
        outputs = self._raw.get_output_details()
        self._targets = [output["index"] for output in outputs]
        self._pairs = pair_outputs([tuple(output["shape"]) for output in outputs])

    def __call__(self, fitted: Picture) -> list[Level]:
        """Answer one picture."""
        self._raw.set_tensor(self._source, fitted.astype(np.float32)[np.newaxis, ..., np.newaxis] / 255.0)
        self._raw.invoke()
        return _levels([self._raw.get_tensor(index) for index in self._targets], self._pairs)


def int8_net(model: bytes) -> Net:
    """Open an int8 .tflite as the device does."""
    interpreter = open_interpreter(model)
    pairs = pair_outputs(interpreter.output_shapes)

    def answer(fitted: Picture) -> list[Level]:
        answers = interpreter.invoke(quantize_pixels(fitted))
        real = [q.dequantize(stored) for q, stored in zip(interpreter.output_quantizations, answers, strict=True)]
        return _levels(real, pairs)

    return answer


def _levels(real: Sequence[NDArray[np.float32]], pairs: Sequence[tuple[int, int]]) -> list[Level]:
    return [Level(real[scores][0, ..., 0], real[distances][0]) for scores, distances in pairs]


def score_map(levels: Sequence[Level]) -> NDArray[np.float32]:
    """Scores 0..1 of all cells."""
    logits = np.concatenate([level.logits.ravel() for level in levels])
    return logistic(logits)


def all_finds(
    net: Net, data: DetectionData, shape: tuple[int, int], title: str, *, close_ups: bool = False
) -> Iterator[Candidates]:
    """Find faces in every picture, down to a very low score; boxes in pixels of the picture.

    Args:
        net: answers.
        data: pictures.
        shape: height and width of the net's input.
        title: of the progress bar.
        close_ups: look at doubtful finds once more, as the device does where the bundle says so.
    """
    for scene in track(list(data.scenes), title):
        fitted, factor = fit_into(scene.pixels, shape)
        found = in_picture(net(fitted), shape[0], factor)
        if close_ups:
            found = look_again(scene.pixels, found, lambda sheet: in_picture(net(sheet), shape[0], 1.0), shape)
            found = suppress(found)
        yield found
