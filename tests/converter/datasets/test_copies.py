"""Search for copies, and splits that keep them on one side."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from converter.datasets.copies import exact_copy_groups, has_near_copy, joined_by_copies, near_copy_groups
from converter.datasets.split import split_by_group


def smooth_faces(count: int) -> NDArray[np.uint8]:
    """Draw pictures with broad light and shade, as different from each other as faces are."""
    rng = np.random.default_rng(5)
    coarse = rng.integers(0, 256, (count, 6, 6)).astype(np.uint8)
    return np.repeat(np.repeat(coarse, 8, axis=1), 8, axis=2)


def test_a_mirrored_copy_is_an_exact_copy() -> None:
    faces = smooth_faces(3)

    groups = exact_copy_groups(np.stack([*faces, faces[1, :, ::-1]]))

    assert groups.tolist() == [0, 1, 2, 1]


def test_a_noisy_copy_is_a_near_copy_and_another_face_is_not() -> None:
    faces = smooth_faces(4)
    noise = np.random.default_rng(0).normal(0, 5, faces[2].shape)
    noisy = np.clip(faces[2] + noise, 0, 255).astype(np.uint8)

    groups = near_copy_groups(np.stack([*faces, noisy, noisy[:, ::-1]]), correlation=0.95)

    assert groups.tolist() == [0, 1, 2, 3, 2, 2]


def test_blank_pictures_are_copies_of_nothing_else() -> None:
    blank = np.zeros((48, 48), np.uint8)
    grey = np.full((48, 48), 90, np.uint8)

    groups = near_copy_groups(np.stack([blank, grey, blank]), correlation=0.95)

    assert groups.tolist() == [0, 1, 0]


def test_copies_are_found_in_another_part() -> None:
    faces = smooth_faces(4)
    others = np.stack([faces[1, :, ::-1], faces[3]])

    found = has_near_copy(faces, others, correlation=0.95)

    assert found.tolist() == [False, True, False, True]


def test_nothing_is_a_copy_of_an_empty_part() -> None:
    faces = smooth_faces(2)

    found = has_near_copy(faces, faces[:0], correlation=0.95)

    assert found.tolist() == [False, False]


@settings(deadline=None)
@given(
    groups=st.lists(st.integers(0, 9), min_size=1, max_size=60),
    share=st.floats(0, 1),
    seed=st.integers(0, 1000),
)
def test_no_group_stands_on_both_sides(groups: list[int], share: float, seed: int) -> None:
    names = np.array(groups)

    held_out = split_by_group(names, share, np.random.default_rng(seed))

    assert not set(names[held_out]) & set(names[~held_out])
    assert not held_out.all()
    assert held_out.sum() <= share * len(names) + max(2 * share * len(names), 1)


def test_small_groups_are_taken_in_a_random_order_until_the_share_is_full() -> None:
    groups = np.repeat(np.arange(50), 2)

    held_out = split_by_group(groups, 0.1, np.random.default_rng(4))

    assert set(groups[held_out]) == set(np.random.default_rng(4).permutation(50)[:5])


def test_one_large_group_does_not_swallow_the_split() -> None:
    groups = np.array([0] * 90 + list(range(1, 11)))

    shares = [split_by_group(groups, 0.1, np.random.default_rng(seed)).mean() for seed in range(20)]

    assert max(shares) == min(shares) == 0.1


def test_groups_that_share_a_copy_are_one_group_under_their_first_name() -> None:
    faces = smooth_faces(4)
    people = np.array(["d", "b", "c", "a", "c"])

    joined = joined_by_copies(people, np.stack([*faces, faces[0, :, ::-1]]))

    assert joined.tolist() == ["c", "b", "c", "a", "c"]
