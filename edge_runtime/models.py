"""The two nets as functions on grey crops: crop in, points or scores out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge_runtime.bundle import Bundle
from edge_runtime.contract import (
    EMOTION_LABELS,
    KEYPOINT_COUNT,
    KEYPOINT_OFFSET_PX,
    KEYPOINT_SCALE_PX,
    NONE_OUTPUT,
)
from edge_runtime.errors import ContractError
from edge_runtime.interfaces import Interpreter
from edge_runtime.preprocess import enlarge
from edge_runtime.quantization import quantize_pixels


class KeypointModel:
    """Finds the 15 points in a 96 x 96 keypoint crop."""

    def __init__(self, bundle: Bundle, interpreter: Interpreter) -> None:
        """Refuse a net whose shapes are not the manifest's."""
        self.manifest = bundle.manifest
        self.sha256 = bundle.model_sha256
        self.interpreter = interpreter
        _check_shapes(bundle, interpreter)

    def points(self, crop: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(96, 96) uint8 -> (15, 2) x, y in pixels of the crop."""
        (stored,) = self.interpreter.invoke(quantize_pixels(enlarge(crop)))
        real = self.interpreter.output_quantizations[0].dequantize(stored)  # (1, 30)
        return real.reshape(KEYPOINT_COUNT, 2) * np.float32(KEYPOINT_SCALE_PX) + np.float32(KEYPOINT_OFFSET_PX)


@dataclass(frozen=True, slots=True, eq=False)
class EmotionScores:
    """Calibrated answer of the emotion net for one crop."""

    shares: NDArray[np.float64]
    """(5,) softmax over the five answers, sum 1."""

    supports: NDArray[np.float64]
    """(5,) probabilities of the five answers with `none` counted in, sum <= 1; what `uncertain` is decided by."""

    @property
    def support(self) -> float:
        """Probability of the leading answer."""
        return float(self.supports.max())


class EmotionModel:
    """Tells the emotion of a 48 x 48 emotion crop (any square is enlarged to 96 x 96)."""

    def __init__(self, bundle: Bundle, interpreter: Interpreter) -> None:
        """Refuse a net whose shapes are not the manifest's."""
        self.manifest = bundle.manifest
        self.sha256 = bundle.model_sha256
        self.interpreter = interpreter
        _check_shapes(bundle, interpreter)
        names = bundle.manifest.output.names
        answers = [names.index(label) for label in EMOTION_LABELS]
        self._order = np.array(answers + [index for index, name in enumerate(names) if name == NONE_OUTPUT])

    def logits(self, crop: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(side, side) uint8 -> (5 + number of none outputs,) real logits, the five answers first."""
        (stored,) = self.interpreter.invoke(quantize_pixels(enlarge(crop)))
        real = self.interpreter.output_quantizations[0].dequantize(stored)[0]
        return np.asarray(real[self._order])

    def scores(self, crop: NDArray[np.uint8]) -> EmotionScores:
        """(side, side) uint8 -> calibrated scores."""
        return calibrated(self.logits(crop), self.manifest.policy.temperature)


def calibrated(logits: NDArray[np.float32], temperature: float) -> EmotionScores:
    """Turn logits (five answers first, then `none` outputs) into calibrated scores.

    Source of the temperature: C. Guo, G. Pleiss, Y. Sun, K. Weinberger, "On Calibration of Modern Neural Networks",
    ICML 2017.
    """
    scaled = logits.astype(np.float64) / temperature
    answers = scaled[: len(EMOTION_LABELS)]
    # Each softmax is raised from its own largest logit: a sure `none` must not make the five 0 / 0.
    five, raised = np.exp(answers - answers.max()), np.exp(scaled - scaled.max())
    return EmotionScores(five / five.sum(), raised[: len(EMOTION_LABELS)] / raised.sum())


def _check_shapes(bundle: Bundle, interpreter: Interpreter) -> None:
    found = (interpreter.input_shape, interpreter.output_shapes[0])
    expected = (bundle.manifest.input.shape, bundle.manifest.output.shape)
    if found != expected:
        raise ContractError(
            f"{bundle.path}: model.tflite has input and output {found}, its manifest says {expected}; "
            f"export the model again with `emotion-convert export`"
        )
