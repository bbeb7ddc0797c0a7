"""What is changed of a finished net, and that nothing else is."""

from __future__ import annotations

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from converter.flatbuffer import with_output_range, with_short_names
from edge_runtime.interpreter import open_interpreter
from edge_runtime.quantization import quantize_pixels
from tests.tiny_tflite import OUTPUT_SCALE, OUTPUT_ZERO_POINT, TinyModel, quarters

PICTURE = quarters(0, 64, 128, 192)


def real_answers(model: bytes) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """Answer the picture in real numbers."""
    net = open_interpreter(model)
    return net.output_quantizations[0].dequantize(net.invoke(quantize_pixels(PICTURE))[0])


def test_a_wider_output_holds_what_was_cut_off_before_and_answers_the_same_else() -> None:
    model = TinyModel(weights=TinyModel().weights * 2).to_bytes()  # the fourth answer: 2 * 8 * 192 / 64 = 48 steps

    narrow = with_output_range(model, -2.0, 10.0)
    wide = with_output_range(model, -20.0, 20.0)

    assert real_answers(model)[0, 3] == pytest.approx(48 * OUTPUT_SCALE)
    assert real_answers(narrow)[0, 3] == pytest.approx(10.0, abs=0.05)
    assert np.abs(real_answers(wide) - real_answers(model)).max() <= 20 / 255 + OUTPUT_SCALE / 2
    (found,) = open_interpreter(wide).output_quantizations
    assert found.scale == pytest.approx(40 / 255)
    assert (found.zero_point, OUTPUT_ZERO_POINT) == (0, 3)


def test_short_names_change_no_answer() -> None:
    model = TinyModel().to_bytes()

    assert b"picture" in model
    assert b"picture" not in with_short_names(model)
    assert np.array_equal(real_answers(with_short_names(model)), real_answers(model))


def test_equal_vectors_are_written_once_and_read_as_before() -> None:
    tree = schema.ModelT.InitFromObj(schema.Model.GetRootAs(TinyModel().to_bytes(), 0))
    for tensor in tree.subgraphs[0].tensors:
        tensor.quantization.min = tensor.quantization.max = np.arange(512, dtype=np.float32)
    twice = schema_bytes(tree)

    once = with_short_names(twice)

    assert len(twice) - len(once) > 512 * 4 * (2 * len(tree.subgraphs[0].tensors) - 2)
    read = schema.ModelT.InitFromObj(schema.Model.GetRootAs(once, 0)).subgraphs[0].tensors
    assert all(np.array_equal(tensor.quantization.max, np.arange(512)) for tensor in read)
    assert np.array_equal(real_answers(once), real_answers(twice))


def schema_bytes(tree: schema.ModelT) -> bytes:
    """Write a tree as the schema's own code does."""
    builder = flatbuffers.Builder(1024)
    builder.Finish(tree.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())
