"""From crops to points and calibrated scores, with nets whose answers are known."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_runtime.bundle import Bundle, load_bundle
from edge_runtime.contract import EMOTION_LABELS, KEYPOINT_COUNT
from edge_runtime.errors import ContractError
from edge_runtime.interpreter import open_interpreter
from edge_runtime.models import EmotionModel, KeypointModel, calibrated
from edge_runtime.quantization import Quantization
from edge_runtime.testing import FakeInterpreter
from tests.tiny_bundles import TinyBundle, emotion_bundle, keypoint_bundle
from tests.tiny_tflite import QUARTERS, TinyModel, quarters

# Stored answer 4, 16, 28, 35, 24; real = (stored - 3) / 4.
PICTURE = quarters(10, 104, 200, 255)
LOGITS = [0.25, 3.25, 6.25, 8.0, 5.25]


def loaded(bundle: TinyBundle, folder: Path) -> Bundle:
    """Write a bundle and load it."""
    return load_bundle(bundle.write_folder(folder / "bundle"))


def emotion_model(bundle: Bundle) -> EmotionModel:
    """Make the model of a bundle."""
    return EmotionModel(bundle, open_interpreter(bundle.model, reference_kernels=True))


def answering(stored: list[int], output: Quantization) -> FakeInterpreter:
    """Answer the same to every crop."""
    answer = np.array([stored], np.int8)
    return FakeInterpreter(lambda _: answer, output=output, outputs=len(stored))


def test_logits_of_a_crop_by_hand(tmp_path: Path) -> None:
    model = emotion_model(loaded(emotion_bundle(), tmp_path))

    assert model.logits(PICTURE).tolist() == LOGITS


def test_a_small_crop_is_enlarged_first(tmp_path: Path) -> None:
    model = emotion_model(loaded(emotion_bundle(), tmp_path))

    assert (
        model.logits(np.full((48, 48), 200, np.uint8)).tolist() == model.logits(quarters(200, 200, 200, 200)).tolist()
    )


def test_scores_are_a_softmax_of_logits_over_the_temperature(tmp_path: Path) -> None:
    scores = emotion_model(loaded(emotion_bundle(), tmp_path)).scores(PICTURE)

    raised = [math.exp(logit / 2.0) for logit in LOGITS]  # the manifest's temperature is 2
    assert scores.shares == pytest.approx([one / sum(raised) for one in raised])
    assert scores.supports == pytest.approx(scores.shares)
    assert scores.support == pytest.approx(max(raised) / sum(raised))


def test_the_none_output_takes_support_away_but_no_share(tmp_path: Path) -> None:
    weights = np.zeros((6, QUARTERS), np.int8)
    weights[2], weights[5] = (8, 0, 0, 0), (8, 0, 0, 0)  # `none` and surprise answer the upper left quarter
    names = ["angry", "disgust", "none", "sad", "happy", "surprise"]
    bundle = dataclasses.replace(
        emotion_bundle(output={"shape": [1, 6], "names": names}), model=TinyModel(weights=weights)
    )

    scores = emotion_model(loaded(bundle, tmp_path)).scores(quarters(128, 0, 0, 0))

    # 128 * 8 / 64 = 16 steps of 1/4: logit 4 for surprise and for none, 0 for the other four; temperature 2.
    high = math.exp(2)
    assert scores.shares == pytest.approx([1 / (4 + high)] * 4 + [high / (4 + high)])
    assert scores.supports == pytest.approx([1 / (4 + 2 * high)] * 4 + [high / (4 + 2 * high)])


def test_outputs_in_another_place_are_put_in_the_contracts_order(tmp_path: Path) -> None:
    names = ["none", *EMOTION_LABELS]
    weights = np.zeros((6, QUARTERS), np.int8)
    weights[:, 0] = (0, 1, 2, 3, 4, 5)
    bundle = dataclasses.replace(
        emotion_bundle(output={"shape": [1, 6], "names": names}), model=TinyModel(weights=weights)
    )

    logits = emotion_model(loaded(bundle, tmp_path)).logits(quarters(64, 0, 0, 0))

    assert logits.tolist() == [0.25, 0.5, 0.75, 1.0, 1.25, 0.0]


def test_a_higher_temperature_makes_answers_less_sure() -> None:
    logits = np.array(LOGITS, np.float32)

    supports = [calibrated(logits, temperature).support for temperature in (0.5, 1.0, 2.0, 10.0)]

    assert supports == sorted(supports, reverse=True)
    assert supports[-1] < 0.35


@given(st.lists(st.floats(-200, 200, width=32), min_size=5, max_size=6), st.floats(0.05, 20))
def test_scores_are_shares_whatever_the_logits(logits: list[float], temperature: float) -> None:
    scores = calibrated(np.array(logits, np.float32), temperature)

    assert np.isfinite(scores.supports).all()
    assert float(scores.supports.sum()) <= 1 + 1e-9
    assert float(scores.shares.sum()) == pytest.approx(1.0)
    assert float(scores.shares[np.argmax(logits[:5])]) == pytest.approx(float(scores.shares.max()))


def test_a_certain_none_still_gives_shares() -> None:
    # exp(-2000) is 0 in a double: the five answers must not become 0 / 0.
    scores = calibrated(np.array([0, 0, 0, 0, 0, 200], np.float32), 0.1)

    assert scores.shares == pytest.approx([0.2] * 5)
    assert scores.support == pytest.approx(0.0)


def test_points_of_a_crop_by_hand(tmp_path: Path) -> None:
    bundle = loaded(keypoint_bundle(), tmp_path)
    stored = [0] * (2 * KEYPOINT_COUNT)
    stored[0], stored[1], stored[29] = 64, -64, 127
    interpreter = answering(stored, Quantization(1 / 64, 0))

    points = KeypointModel(bundle, interpreter).points(np.zeros((96, 96), np.uint8))

    # real 1.0, -1.0 and 127/64, times 48 plus 47.5.
    assert points.shape == (15, 2)
    assert points[0].tolist() == [95.5, -0.5]
    assert points[14].tolist() == [47.5, 142.75]
    assert points[1:14].tolist() == [[47.5, 47.5]] * 13


def test_points_come_from_the_net_itself(tmp_path: Path) -> None:
    bundle = loaded(keypoint_bundle(), tmp_path)
    model = KeypointModel(bundle, open_interpreter(bundle.model, reference_kernels=True))

    points = model.points(quarters(0, 64, 128, 192))

    # Row 0 of the weights is 0, 1, 2, 3: (64 + 256 + 576) / 64 = 14 steps of 1/4 = 3.5; row 1 is 4, 0, 1, 2: 8 steps.
    assert points[0].tolist() == pytest.approx([3.5 * 48 + 47.5, 2.0 * 48 + 47.5])


def test_a_net_of_another_size_than_its_manifest_is_refused(tmp_path: Path) -> None:
    bundle = loaded(emotion_bundle(), tmp_path)
    six = open_interpreter(TinyModel(weights=np.zeros((6, QUARTERS), np.int8)).to_bytes())

    with pytest.raises(
        ContractError, match=r"bundle: model\.tflite has input and output .*\(1, 6\)\), its manifest says"
    ):
        EmotionModel(bundle, six)
    with pytest.raises(ContractError, match="export the model again"):
        KeypointModel(loaded(keypoint_bundle(), tmp_path / "points"), six)


def test_a_model_tells_which_bytes_answer(tmp_path: Path) -> None:
    bundle = loaded(emotion_bundle(), tmp_path)

    model = emotion_model(bundle)

    assert model.sha256 == bundle.model_sha256
    assert model.manifest.version == "1.2.3"
