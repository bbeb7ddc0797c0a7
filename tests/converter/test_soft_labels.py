"""Soft labels: written, read, matched by pixels, and refused where the teacher has seen too much."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from converter.batches import target_shares
from converter.datasets.types import EmotionData
from converter.errors import DataError, RunError
from converter.recipe import Training
from converter.soft_labels import picture_digest, read_soft_labels, write_soft_labels

TEACHER = {"teachers": [{"recipe": "drawn", "seed": 1}]}


def pictures(count: int) -> np.ndarray:
    return np.random.default_rng(5).integers(0, 256, (count, 48, 48)).astype(np.uint8)


def shares(count: int) -> np.ndarray:
    return np.random.default_rng(6).dirichlet(np.ones(7), count).astype(np.float32)


def test_shares_come_back_for_their_pictures_in_any_order(tmp_path: Path) -> None:
    images, given = pictures(6), shares(6)

    count = write_soft_labels(tmp_path / "soft.npz", images, given, TEACHER)
    soft = read_soft_labels(tmp_path / "soft.npz")

    assert count == 6
    assert soft.teacher == TEACHER
    np.testing.assert_allclose(soft.of(images[::-1]), given[::-1], atol=0.01)
    np.testing.assert_allclose(soft.of(images).sum(axis=1), 1, atol=1e-6)


def test_pictures_that_the_teacher_never_saw_have_no_shares(tmp_path: Path) -> None:
    images = pictures(6)
    write_soft_labels(tmp_path / "soft.npz", images[:4], shares(4), TEACHER)

    found = read_soft_labels(tmp_path / "soft.npz").of(images)

    assert np.isfinite(found[:4]).all()
    assert np.isnan(found[4:]).all()


def test_a_copy_is_written_once(tmp_path: Path) -> None:
    images = pictures(3)[[0, 1, 2, 0]]

    assert write_soft_labels(tmp_path / "soft.npz", images, shares(4), TEACHER) == 3


def test_a_teacher_that_saw_the_validation_part_is_refused(tmp_path: Path) -> None:
    images = pictures(6)
    write_soft_labels(tmp_path / "soft.npz", images[:4], shares(4), TEACHER)
    soft = read_soft_labels(tmp_path / "soft.npz")

    soft.refuse_seen(images[4:])
    with pytest.raises(RunError, match="trained on 1 of 3 validation pictures"):
        soft.refuse_seen(images[3:])


def test_a_file_of_another_form_is_named(tmp_path: Path) -> None:
    np.savez(tmp_path / "other.npz", images=pictures(1))

    with pytest.raises(DataError, match=r"expected soft labels .* found \['images'\]"):
        read_soft_labels(tmp_path / "other.npz")


def test_targets_take_their_share_of_the_teacher_where_it_speaks() -> None:
    soft = np.full((2, 7), np.nan, np.float32)
    soft[0] = np.eye(7)[4]
    data = EmotionData(pictures(2), np.array([3, 3]), np.zeros(2, np.int64), soft=soft)

    targets = target_shares(data, 7, Training(epochs=1, soft_weight=0.25))

    np.testing.assert_allclose(targets[0], 0.75 * np.eye(7)[3] + 0.25 * np.eye(7)[4])
    np.testing.assert_allclose(targets[1], np.eye(7)[3])


def test_a_picture_is_named_by_its_pixels() -> None:
    first, second = pictures(2)

    assert picture_digest(first) == picture_digest(first.copy())
    assert picture_digest(first) != picture_digest(second)


def test_shares_of_one_dimension_are_named(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", digest=np.zeros((3, 6), np.uint8), shares=np.zeros(3, np.uint8), teacher=np.str_("{}"))

    with pytest.raises(DataError, match=r"expected one row of shares per digest, found \(3,\)"):
        read_soft_labels(tmp_path / "a.npz")
