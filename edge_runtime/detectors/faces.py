"""Faces through our own int8 net: no file beside the shipped bundle, the same interpreter as the other nets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from edge_runtime.bundle import Bundle
from edge_runtime.close_ups import LEAST_SCORE, look_again, worth_a_look
from edge_runtime.datatypes import FaceBox, ShapeError
from edge_runtime.decode import Candidates, Level, decode, pair_outputs, shorter_sides, suppress
from edge_runtime.errors import ContractError
from edge_runtime.geometry import Box
from edge_runtime.interfaces import Interpreter
from edge_runtime.least_scores import LeastScores
from edge_runtime.preprocess import fit_into
from edge_runtime.quantization import quantize_pixels

_SIZE_IN_DOUBT = 0.75
"""A second look may find a face larger by a third at most."""


class FacesDetector:
    """A bundle of kind `faces` on a frame that is shrunk into the net's input."""

    def __init__(
        self, bundle: Bundle, interpreter: Interpreter, *, min_face_px: float = 0.0, min_score: float | None = None
    ) -> None:
        """Refuse a net whose shapes are not a faces net's.

        Args:
            bundle: of kind faces.
            interpreter: holds the bundle's net.
            min_face_px: longer side of the smallest face, frame pixels; smaller ones are left out.
            min_score: finds below are left out, 0..1; None = the bundle's own for small and large finds, chosen on
                validation pictures.

        Raises:
            ContractError: the model does not fit its manifest, or is no faces net.
        """
        self.name = "faces"
        self.manifest = bundle.manifest
        self.sha256 = bundle.model_sha256
        self.interpreter = interpreter
        self._min_face_px = min_face_px
        own = LeastScores.of(bundle.manifest.policy)
        self._least = own if min_score is None else replace(own, large=min_score, small=min_score)
        self._input_size = (interpreter.input_shape[1], interpreter.input_shape[2])
        self._close_ups = bundle.manifest.policy.close_ups
        self._pairs = _checked_pairs(bundle, interpreter)

    def detect(self, pixels: NDArray[np.uint8]) -> Sequence[FaceBox]:
        """Find faces in a (height, width) grey picture: tight boxes inside it, best first."""
        if pixels.ndim != 2 or pixels.dtype != np.uint8:
            raise ShapeError(f"faces: expected (height, width) uint8, found {pixels.shape} {pixels.dtype}")
        height, width = pixels.shape
        found = self._found(pixels)
        boxes = [Box(*corners).clipped(width, height) for corners in found.boxes.tolist()]
        faces = [FaceBox(box, score) for box, score in zip(boxes, found.scores.tolist(), strict=True)]
        return [face for face in faces if self._is_wanted(face.box)]

    def _found(self, pixels: NDArray[np.uint8]) -> Candidates:
        """Boxes in frame pixels, best first, overlapping ones merged."""
        fitted, factor = fit_into(pixels, self._input_size)
        if not self._close_ups:
            return self._counted(self._look(fitted, self._least.lowest).scaled(factor), factor)
        first = self._look(fitted, worth_a_look(self._least.lowest)).scaled(factor)
        first = first.take(np.flatnonzero(first.longer_sides() >= _SIZE_IN_DOUBT * self._min_face_px))
        found = look_again(pixels, first, lambda sheet: self._look(sheet, LEAST_SCORE), self._input_size)
        return suppress(self._counted(found, factor))

    def _counted(self, found: Candidates, factor: float) -> Candidates:
        return found.take(np.flatnonzero(self._least.counted(found.scores, shorter_sides(found.boxes) / factor)))

    def _look(self, fitted: NDArray[np.uint8], min_score: float) -> Candidates:
        """Run the net on a picture of its own size; boxes in its pixels."""
        found = decode(self._levels(fitted), input_height=self._input_size[0], min_score=min_score)
        return suppress(found)

    def _levels(self, fitted: NDArray[np.uint8]) -> list[Level]:
        answers = self.interpreter.invoke(quantize_pixels(fitted))
        real = [
            quantization.dequantize(stored)
            for quantization, stored in zip(self.interpreter.output_quantizations, answers, strict=True)
        ]
        return [Level(real[scores][0, ..., 0], real[distances][0]) for scores, distances in self._pairs]

    def _is_wanted(self, box: Box) -> bool:
        return min(box.width, box.height) > 0 and max(box.width, box.height) >= self._min_face_px


def _checked_pairs(bundle: Bundle, interpreter: Interpreter) -> list[tuple[int, int]]:
    """Pair the outputs of every level."""
    if interpreter.input_shape != bundle.manifest.input.shape:
        raise ContractError(
            f"{bundle.path}: model.tflite has input {interpreter.input_shape}, its manifest says "
            f"{bundle.manifest.input.shape}; export the model again with `emotion-convert export`"
        )
    try:
        return pair_outputs(interpreter.output_shapes)
    except ShapeError as error:
        raise ContractError(f"{bundle.path}: {error}; export the model again with `emotion-convert export`") from error
