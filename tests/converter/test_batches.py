"""Training batches: reproducible, balanced as asked, points moved with their faces."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray

from converter.batches import (
    EmotionBatches,
    KeypointBatches,
    balanced_chance,
    balanced_order,
    normalized_points,
    pixel_points,
    target_shares,
)
from converter.datasets.types import CLASS_NAMES, EmotionData, KeypointData
from converter.recipe import Augment, Data, Model, Recipe, Stage, Training
from tests.converter.sample_data import keypoint_rows, striped_face

MODEL = Model(stages=(Stage(filters=4, blocks=1),))


def emotion_recipe(*, balance: float = 0.0, mixup: float = 0.2) -> Recipe:
    """Describe batches of 8."""
    return Recipe(
        kind="emotion",
        name="small",
        data=Data(outputs=CLASS_NAMES, class_balance=balance),
        model=MODEL,
        training=Training(epochs=1, batch_size=8, mixup_alpha=mixup),
        augment=Augment(),
    )


def emotion_data(labels: list[int]) -> EmotionData:
    """Draw one face per label."""
    rng = np.random.default_rng(0)
    images = np.stack([striped_face(label, rng) for label in labels])
    return EmotionData(images, np.array(labels), np.zeros(len(labels), np.int64))


def test_the_same_epoch_gives_the_same_batches() -> None:
    data = emotion_data(list(range(7)) * 4)

    first = list(EmotionBatches(data, emotion_recipe()).epoch(3))
    second = list(EmotionBatches(data, emotion_recipe()).epoch(3))

    for (pictures, targets), (other_pictures, other_targets) in zip(first, second, strict=True):
        np.testing.assert_array_equal(pictures, other_pictures)
        np.testing.assert_array_equal(targets, other_targets)


def test_two_epochs_differ() -> None:
    batches = EmotionBatches(emotion_data(list(range(7)) * 4), emotion_recipe())

    first, second = next(batches.epoch(0)), next(batches.epoch(1))

    assert (first[0] != second[0]).any()


def test_targets_are_shares() -> None:
    batches = EmotionBatches(emotion_data(list(range(7)) * 4), emotion_recipe())

    targets = np.concatenate([targets for _, targets in batches.epoch(0)])

    np.testing.assert_allclose(targets.sum(axis=1), 1, atol=1e-5)


@pytest.mark.parametrize(("balance", "expected"), [(0.0, 0.1), (1.0, 0.5)])
def test_balance_decides_how_often_a_rare_class_is_drawn(balance: float, expected: float) -> None:
    data = emotion_data([0] * 72 + [1] * 8)
    batches = EmotionBatches(data, emotion_recipe(balance=balance, mixup=0))

    epochs = itertools.chain.from_iterable(batches.epoch(epoch) for epoch in range(3))
    drawn = np.concatenate([targets for _, targets in epochs]).argmax(axis=1)

    assert np.mean(drawn == 1) == pytest.approx(expected, abs=0.02)


def test_votes_are_mixed_into_the_target_where_there_are_any() -> None:
    votes = np.full((2, len(CLASS_NAMES)), np.nan, np.float32)
    votes[0] = 0
    votes[0, 1] = 1
    plain = emotion_data([0, 0])
    data = EmotionData(plain.images, plain.labels, plain.usage, votes)

    targets = target_shares(data, 7, Training(epochs=1, votes_weight=0.25))

    assert targets[0].tolist() == [0.75, 0.25, 0, 0, 0, 0, 0]
    assert targets[1].tolist() == [1, 0, 0, 0, 0, 0, 0]


def test_keypoint_batches_are_reproducible_and_keep_missing_points() -> None:
    points, pictures = keypoint_rows(16)
    points[:, 10] = np.nan
    names = np.arange(16).astype(str)
    data = KeypointData(np.stack(pictures), points, names, names)
    recipe = Recipe(kind="keypoints", name="small", model=MODEL, training=Training(epochs=1, batch_size=8))

    first = list(KeypointBatches(data, recipe).epoch(0))
    second = list(KeypointBatches(data, recipe).epoch(0))

    assert len(first) == 2
    for (pictures_a, targets_a), (pictures_b, targets_b) in zip(first, second, strict=True):
        np.testing.assert_array_equal(pictures_a, pictures_b)
        np.testing.assert_array_equal(targets_a, targets_b)
        assert np.isnan(targets_a[:, 20:22]).all()
        assert np.isfinite(np.delete(targets_a, [20, 21], axis=1)).all()


def test_labels_that_lie_to_one_side_lie_there_in_mirrored_faces_too() -> None:
    points, pictures = keypoint_rows(8)
    plain = Augment(rotation_deg=0, scale=0, shift_px=0)
    model, training = MODEL, Training(epochs=1, batch_size=8)

    def seen(shift: dict[str, float], labels: NDArray[np.float32]) -> NDArray[np.float32]:
        data = KeypointData(np.stack(pictures), labels, np.arange(8).astype(str), np.array(["video"] * 8))
        recipe = Recipe(
            kind="keypoints",
            name="small",
            data=Data(side_shift_px=shift),
            model=model,
            training=training,
            augment=plain,
        )
        return pixel_points(next(iter(KeypointBatches(data, recipe).epoch(0)))[1])

    straight = seen({}, points)
    aside = seen({"video": 2.0}, points + np.array([2.0, 0.0], np.float32))

    np.testing.assert_allclose(aside - straight, np.broadcast_to([2.0, 0.0], straight.shape), atol=1e-4)


def test_net_output_and_pixels_are_inverse() -> None:
    points, _ = keypoint_rows(3)

    np.testing.assert_allclose(pixel_points(normalized_points(points)), points, atol=1e-4)


def test_sources_are_drawn_as_balance_asks() -> None:
    sources = np.array(["few"] * 20 + ["many"] * 80)

    as_found = balanced_chance(sources, 0.0)
    alike = balanced_chance(sources, 1.0)

    assert as_found[:20].sum() == pytest.approx(0.2)
    assert alike[:20].sum() == pytest.approx(0.5)


def test_an_order_takes_every_row_as_often_as_its_chance_says() -> None:
    chance = balanced_chance(np.array(["few"] * 20 + ["many"] * 80), 1.0)

    order = balanced_order(chance, 100, np.random.default_rng(2))

    times = np.bincount(order, minlength=100)
    assert set(times[:20]) == {2, 3}
    assert set(times[20:]) == {0, 1}


def test_every_second_batch_is_the_same_as_in_the_whole_epoch() -> None:
    recipe = emotion_recipe()
    batches = EmotionBatches(emotion_data(list(range(7)) * 5), recipe)

    whole, second = list(batches.epoch(1)), list(batches.epoch(1, first=1, every=2))

    assert len(second) == len(whole) // 2
    for found, expected in zip(second, whole[1::2], strict=True):
        np.testing.assert_array_equal(found[0], expected[0])
        np.testing.assert_array_equal(found[1], expected[1])
