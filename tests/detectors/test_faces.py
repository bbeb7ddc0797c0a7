from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from edge_runtime.bundle import MODEL_FILE, Bundle, builtin_bundle_path, load_bundle
from edge_runtime.contract import INPUT_SCALE, INPUT_ZERO_POINT, KERNEL_STEPS
from edge_runtime.datatypes import ShapeError
from edge_runtime.decode import iou_table
from edge_runtime.detectors.faces import FacesDetector
from edge_runtime.errors import ContractError
from edge_runtime.geometry import Box
from edge_runtime.interpreter import open_interpreter
from edge_runtime.manifest import Manifest
from edge_runtime.quantization import Quantization, quantize_pixels
from edge_runtime.settings import Detector as DetectorSettings
from edge_runtime.wiring import open_detector

HEIGHT, WIDTH = 64, 96
LOGITS, LOGS = Quantization(0.1, 20), Quantization(0.02, -10)
SILENT = -10.0


class OneCell:
    """A faces net that sees a face in one cell of stride 16, whatever the picture; it keeps what it was fed."""

    def __init__(self, row: int, column: int, *, logit: float = 2.0, log: float = 0.0) -> None:
        self.input_shape: tuple[int, ...] = (1, HEIGHT, WIDTH, 1)
        self.input_quantization = Quantization(INPUT_SCALE, INPUT_ZERO_POINT)
        self.output_shapes: tuple[tuple[int, ...], ...] = tuple(
            (1, HEIGHT // stride, WIDTH // stride, last) for stride in (32, 8, 16) for last in (4, 1)
        )
        self.output_quantizations = tuple(LOGS if shape[-1] == 4 else LOGITS for shape in self.output_shapes)
        self.runtime, self.device = "fake", "cpu"
        self.fed: list[NDArray[np.int8]] = []
        self._cell = (row, column)
        self._logit, self._log, self._stride = logit, log, 16

    def invoke(self, stored: NDArray[np.int8]) -> tuple[NDArray[np.int8], ...]:
        self.fed.append(stored)
        answers = []
        for shape, quantization in zip(self.output_shapes, self.output_quantizations, strict=True):
            real = np.full(shape, SILENT if shape[-1] == 1 else 0.0, np.float32)
            if shape[1] == HEIGHT // self._stride:
                real[0, self._cell[0], self._cell[1]] = self._logit if shape[-1] == 1 else self._log
            answers.append(quantization.quantize(real))
        return tuple(answers)


class FollowsLight(OneCell):
    """Sees the face in the brightest cell."""

    def invoke(self, stored: NDArray[np.int8]) -> tuple[NDArray[np.int8], ...]:
        row, column = np.unravel_index(int(stored[0, :, :, 0].argmax()), (HEIGHT, WIDTH))
        self._cell = (int(row) // 16, int(column) // 16)
        return super().invoke(stored)


class SecondLook(OneCell):
    """Sees a face of 12 px at the first look; at the second one of 24 px in the only close-up, or nothing."""

    def __init__(self, row: int, column: int, *, sees_it_again: bool) -> None:
        super().__init__(row, column, logit=1.0, log=float(np.log(0.375)))
        self._next = 1.0 if sees_it_again else SILENT

    def invoke(self, stored: NDArray[np.int8]) -> tuple[NDArray[np.int8], ...]:
        if self.fed:
            self._cell, self._logit, self._log, self._stride = (3, 5), self._next, float(np.log(1.5)), 8
        return super().invoke(stored)


def corners(box: Box) -> NDArray[np.float32]:
    return np.array([[box.x0, box.y0, box.x1, box.y1]], np.float32)


def bundle(**changes: Any) -> Bundle:  # noqa: ANN401  JSON
    manifest = {
        "kind": "faces",
        "name": "tiny-faces",
        "version": "1.0.0",
        "created_at": "2026-01-01T00:00:00Z",
        "input": {"shape": [1, HEIGHT, WIDTH, 1]},
        "output": {"shape": [1, 126, 5]},
        "policy": {"enter": 0.6, "exit": 0.6},
        "quantization": {"mode": "int8", "calibration_count": 1},
    }
    return Bundle(Path("tiny"), msgspec.convert(manifest | changes, type=Manifest), {MODEL_FILE: b"net"})


def grey(height: int, width: int, level: int = 100) -> NDArray[np.uint8]:
    return np.full((height, width), level, np.uint8)


def test_a_face_comes_back_in_pixels_of_the_frame() -> None:
    detector = FacesDetector(bundle(), OneCell(1, 2))

    (face,) = detector.detect(grey(2 * HEIGHT, 2 * WIDTH))

    # Cell of stride 16 at (40, 24) of the input, 16 to every side, and a frame twice as large.
    assert face.box == Box(48.0, 16.0, 112.0, 80.0)
    assert face.score == pytest.approx(1 / (1 + np.exp(-2.0)), abs=1e-3)


def test_the_frame_is_shrunk_into_the_upper_left_corner() -> None:
    net = OneCell(0, 0)

    FacesDetector(bundle(), net).detect(grey(128, 128, level=200))

    fed = net.fed[0].astype(int) + 128
    assert fed.shape == (1, HEIGHT, WIDTH, 1)
    assert (fed[0, :, :64, 0] == 200).all()
    assert (fed[0, :, 64:, 0] == 0).all()


def test_small_frames_are_not_enlarged() -> None:
    (face,) = FacesDetector(bundle(), OneCell(1, 1)).detect(grey(50, 50))

    assert face.box == Box(8.0, 8.0, 40.0, 40.0)


def test_boxes_are_cut_at_the_border_and_those_outside_left_out() -> None:
    (cut,) = FacesDetector(bundle(), OneCell(0, 0)).detect(grey(HEIGHT, WIDTH))
    outside = FacesDetector(bundle(), OneCell(0, 5)).detect(grey(HEIGHT, 64))

    assert cut.box == Box(0.0, 0.0, 24.0, 24.0)
    assert outside == []


def test_finds_below_the_bundles_score_do_not_count() -> None:
    weak = OneCell(1, 2, logit=0.3)  # score 0.574

    assert FacesDetector(bundle(), weak).detect(grey(HEIGHT, WIDTH)) == []
    assert len(FacesDetector(bundle(), weak, min_score=0.5).detect(grey(HEIGHT, WIDTH))) == 1


@pytest.mark.parametrize(("below_px", "expected"), [(33.0, 1), (32.0, 0)])
def test_small_finds_count_from_a_score_of_their_own(below_px: float, expected: int) -> None:
    own = bundle(policy={"enter": 0.6, "exit": 0.6, "small": {"below_px": below_px, "enter": 0.5}})
    weak = OneCell(1, 2, logit=0.3)  # score 0.574, 32 px of the input, 64 of the frame

    assert len(FacesDetector(own, weak).detect(grey(2 * HEIGHT, 2 * WIDTH))) == expected
    assert FacesDetector(own, weak, min_score=0.6).detect(grey(2 * HEIGHT, 2 * WIDTH)) == []


def test_where_the_bundle_says_so_a_doubtful_find_is_looked_at_again_and_must_be_there_too() -> None:
    twice = bundle(policy={"enter": 0.6, "exit": 0.6, "close_ups": True})
    sees_it_again, sees_it_once = (SecondLook(1, 2, sees_it_again=again) for again in (True, False))

    (face,) = FacesDetector(twice, sees_it_again).detect(grey(HEIGHT, WIDTH))

    assert iou_table(corners(face.box), corners(Box(34.0, 18.0, 46.0, 30.0)))[0, 0] > 0.5
    assert FacesDetector(twice, sees_it_once).detect(grey(HEIGHT, WIDTH)) == []
    assert [len(net.fed) for net in (sees_it_again, sees_it_once)] == [2, 2]


def test_a_sure_find_costs_no_second_look() -> None:
    twice = bundle(policy={"enter": 0.6, "exit": 0.6, "close_ups": True})
    net = OneCell(1, 2, logit=2.5)  # score 0.92

    assert len(FacesDetector(twice, net).detect(grey(HEIGHT, WIDTH))) == 1
    assert len(net.fed) == 1


def test_faces_smaller_than_asked_for_are_left_out() -> None:
    net = OneCell(1, 2)

    assert FacesDetector(bundle(), net, min_face_px=33).detect(grey(HEIGHT, WIDTH)) == []
    assert len(FacesDetector(bundle(), net, min_face_px=32).detect(grey(HEIGHT, WIDTH))) == 1


def test_another_input_than_the_manifests_is_refused() -> None:
    with pytest.raises(ContractError, match="its manifest says"):
        FacesDetector(bundle(input={"shape": [1, 32, 32, 1]}), OneCell(0, 0))


def test_a_net_that_is_no_faces_net_is_refused() -> None:
    net = OneCell(0, 0)
    net.output_shapes = ((1, 30),)

    with pytest.raises(ContractError, match="expected pairs"):
        FacesDetector(bundle(), net)


@pytest.mark.parametrize("wrong", [np.zeros((8, 8, 3), np.uint8), np.zeros((8, 8), np.float32)])
def test_colour_and_floats_are_refused(wrong: NDArray[np.uint8]) -> None:
    with pytest.raises(ShapeError, match=r"faces: expected \(height, width\) uint8"):
        FacesDetector(bundle(), OneCell(0, 0)).detect(wrong)


@pytest.mark.parametrize("name", ["faces-small", "faces", "faces-large"])
def test_a_shipped_net_answers_its_golden_outputs(name: str) -> None:
    shipped = load_bundle(builtin_bundle_path("faces").with_name(name), kind="faces")
    golden = shipped.golden()
    stored = quantize_pixels(np.asarray(golden["inputs"][0], np.uint8))

    exact = open_interpreter(shipped.model, reference_kernels=True).invoke(stored)
    fast = open_interpreter(shipped.model).invoke(stored)

    for index, (answer, quick) in enumerate(zip(exact, fast, strict=True)):
        expected = golden[f"output_{index}"][:1].astype(int)
        assert np.array_equal(answer, expected)
        # Optimised kernels round every layer otherwise; 36 steps of 256 were seen on x86-64 after some thirty layers,
        # on the drawn pictures of the self-test.
        assert np.abs(quick.astype(int) - expected).max() <= KERNEL_STEPS["faces"]


@pytest.mark.parametrize(
    ("search_width_px", "input_width"), [(160, 160), (161, 320), (320, 320), (321, 640), (640, 640), (800, 640)]
)
def test_the_width_of_the_search_chooses_the_shipped_net(search_width_px: int, input_width: int) -> None:
    detector = open_detector(DetectorSettings(kind="faces", search_width_px=search_width_px))

    assert isinstance(detector, FacesDetector)
    assert detector.manifest.input.shape[2] == input_width
    assert len(detector.interpreter.output_shapes) == 6


def test_the_configured_score_takes_the_place_of_the_bundles() -> None:
    picture = grey(240, 320)
    nothing, everything = (
        open_detector(DetectorSettings(kind="faces", min_score=score, min_face_px=16)).detect(picture)
        for score in (1.0, 0.0)
    )

    assert nothing == []
    assert len(everything) > 0


def test_another_bundle_is_taken_by_its_path() -> None:
    path = builtin_bundle_path("faces").with_name("faces-large")

    detector = open_detector(DetectorSettings(kind="faces", model=str(path), search_width_px=160))

    assert isinstance(detector, FacesDetector)
    assert detector.manifest.input.shape == (1, 480, 640, 1)
