"""What an int8 model answers, and which models are refused."""

from __future__ import annotations

import gc
import hashlib

import numpy as np
import pytest

from edge_runtime.bundle import builtin_bundle_path, load_bundle
from edge_runtime.contract import INPUT_SCALE, INPUT_SIZE_PX, KERNEL_STEPS, SHIPPED_KINDS, ModelKind, reference_steps
from edge_runtime.datatypes import ShapeError
from edge_runtime.errors import ContractError, DelegateError, InterpreterError
from edge_runtime.interpreter import TfliteInterpreter, open_delegated, open_interpreter
from edge_runtime.quantization import Quantization, quantize_pixels
from tests.tiny_tflite import OUTPUT_SCALE, OUTPUT_ZERO_POINT, TinyModel, quarters

PICTURE = quarters(10, 104, 200, 255)
# round(8 * mean / 64) + 3 for the first four, round((200 + 255 - 10 - 104) * 4 / 64) + 3 for the last.
ANSWER = [4, 16, 28, 35, 24]


@pytest.fixture(scope="module")
def tiny() -> TfliteInterpreter:
    """Open the tiny model once."""
    return open_interpreter(TinyModel().to_bytes())


@pytest.mark.parametrize("reference_kernels", [True, False])
def test_a_model_answers_what_its_arithmetic_says(*, reference_kernels: bool) -> None:
    interpreter = open_interpreter(TinyModel().to_bytes(), reference_kernels=reference_kernels)

    (answer,) = interpreter.invoke(quantize_pixels(PICTURE))

    assert answer.dtype == np.int8
    assert answer.tolist() == [ANSWER]
    assert TinyModel().answer(PICTURE).tolist() == [ANSWER]


def test_shapes_and_quantization_come_from_the_model(tiny: TfliteInterpreter) -> None:
    assert tiny.input_shape == (1, INPUT_SIZE_PX, INPUT_SIZE_PX, 1)
    assert tiny.output_shapes == ((1, 5),)
    assert tiny.input_quantization.is_pixel_input
    assert tiny.output_quantizations == (Quantization(OUTPUT_SCALE, OUTPUT_ZERO_POINT),)
    assert tiny.device == "cpu"
    assert tiny.runtime.split()[0] in {"ai-edge-litert", "tflite-runtime"}


def test_answers_belong_to_the_caller(tiny: TfliteInterpreter) -> None:
    (first,) = tiny.invoke(quantize_pixels(PICTURE))

    (second,) = tiny.invoke(quantize_pixels(quarters(0, 0, 0, 0)))

    assert first.tolist() == [ANSWER]
    assert second.tolist() == [[OUTPUT_ZERO_POINT] * 5]


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (TinyModel(dtype="UINT8"), "picture is uint8, expected int8"),
        (TinyModel(dtype="FLOAT32"), "picture is float32, expected int8"),
        (TinyModel(input_scale=1 / 254), r"expected batch 1, scale 1/255 and zero point -128"),
        (TinyModel(input_scale=INPUT_SCALE * 2), r"expected batch 1, scale 1/255 and zero point -128"),
        (TinyModel(input_zero_point=-127), r"zero_point=-127\), expected batch 1, scale 1/255 and zero point -128"),
        (TinyModel(batch=2), r"model input is \(2, 96, 96, 1\)"),
    ],
)
def test_a_model_off_the_contract_is_refused_with_the_remedy(model: TinyModel, said: str) -> None:
    with pytest.raises(ContractError, match=f"{said}.*emotion-convert quantize"):
        open_interpreter(model.to_bytes())


def test_a_model_with_two_inputs_is_refused() -> None:
    with pytest.raises(ContractError, match="model has 2 inputs, expected one grey picture"):
        open_interpreter(TinyModel(second_input=True).to_bytes())


@pytest.mark.parametrize(
    ("stored", "said"),
    [
        (np.zeros((1, 96, 96, 1), np.uint8), r"found \(1, 96, 96, 1\) uint8"),
        (np.zeros((1, 96, 96, 1), np.float32), r"found \(1, 96, 96, 1\) float32"),
        (np.zeros((1, 48, 48, 1), np.int8), r"found \(1, 48, 48, 1\) int8"),
        (np.zeros((96, 96), np.int8), r"found \(96, 96\) int8"),
    ],
)
def test_an_input_of_another_form_is_refused(tiny: TfliteInterpreter, stored: np.ndarray, said: str) -> None:
    with pytest.raises(ShapeError, match=rf"expected \(1, 96, 96, 1\) int8, {said}"):
        tiny.invoke(stored)


@pytest.mark.parametrize("model", [b"", b"not a model", bytes(4096)])
def test_bytes_that_are_no_model_are_refused(model: bytes) -> None:
    with pytest.raises(InterpreterError, match=r"(ai-edge-litert|tflite-runtime): .*export the model again"):
        open_interpreter(model)


# The runtime's own Delegate trips over itself when it is thrown away half made.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_delegate_that_is_not_installed_is_named() -> None:
    with pytest.raises(DelegateError, match=r"libnowhere\.so") as caught:
        open_delegated(TinyModel().to_bytes(), library="libnowhere.so", device="edgetpu:usb:0")

    assert caught.value.reason == "library_missing"
    del caught
    gc.collect()


def test_more_threads_give_the_same_answer() -> None:
    interpreter = open_interpreter(TinyModel().to_bytes(), threads=2)

    (answer,) = interpreter.invoke(quantize_pixels(PICTURE))

    assert answer.tolist() == [ANSWER]


@pytest.mark.parametrize("kind", SHIPPED_KINDS)
@pytest.mark.parametrize("reference_kernels", [True, False])
def test_a_shipped_model_answers_its_golden_outputs(kind: ModelKind, *, reference_kernels: bool) -> None:
    bundle = load_bundle(builtin_bundle_path(kind), kind=kind)
    golden = bundle.golden()
    interpreter = open_interpreter(bundle.model, reference_kernels=reference_kernels)

    answers = [interpreter.invoke(quantize_pixels(np.asarray(row, np.uint8))) for row in golden["inputs"]]

    # Reference kernels are the same everywhere; `emotion-edge selftest` allows optimised ones as much as this.
    for index, outputs in enumerate(zip(*answers, strict=True)):
        steps = np.abs(np.concatenate(outputs).astype(int) - golden[f"output_{index}"].astype(int))
        assert steps.max() <= (reference_steps(interpreter.runtime) if reference_kernels else KERNEL_STEPS[kind])
        assert steps.mean() <= (0.01 if reference_kernels else KERNEL_STEPS[kind] / 3)


@pytest.mark.parametrize("kind", SHIPPED_KINDS)
def test_a_shipped_model_is_the_one_its_digest_names(kind: ModelKind) -> None:
    bundle = load_bundle(builtin_bundle_path(kind), kind=kind)

    assert hashlib.sha256(bundle.model).hexdigest() == bundle.model_sha256
    assert f"{bundle.model_sha256}  model.tflite" in bundle.files["SHA256SUMS"].decode().splitlines()
