"""Reader of the npz form."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from converter.datasets.npz import read_emotion_npz, read_keypoint_npz
from converter.datasets.types import CLASS_NAMES, PUBLIC_TEST
from converter.errors import DataError
from edge_runtime.contract import INPUT_SIZE_PX, KEYPOINT_COUNT

IMAGES = np.random.default_rng(0).integers(0, 256, (3, 48, 48), dtype=np.uint8)


def test_label7_has_the_order_of_fer2013(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", images=IMAGES, label7=np.array([2, 4, 6], np.uint8), usage=np.array([0, 1, 1]))

    data = read_emotion_npz(tmp_path / "a.npz")

    assert [CLASS_NAMES[label] for label in data.labels] == ["fear", "sad", "neutral"]
    assert data.usage.tolist() == [0, PUBLIC_TEST, PUBLIC_TEST]


@pytest.mark.parametrize("left_out", [np.array([0, -1, 4], np.int64), np.array([0, 255, 4], np.uint8)])
def test_label5_leaves_out_what_is_none_of_the_five(tmp_path: Path, left_out: NDArray[np.int64]) -> None:
    np.savez(tmp_path / "a.npz", images=IMAGES, label5=left_out)

    data = read_emotion_npz(tmp_path / "a.npz")

    np.testing.assert_array_equal(data.images, IMAGES[[0, 2]])
    assert [CLASS_NAMES[label] for label in data.labels] == ["angry", "surprise"]


def test_encoded_pictures_are_decoded(tmp_path: Path) -> None:
    parts = [cv2.imencode(".webp", image, [cv2.IMWRITE_WEBP_QUALITY, 101])[1].ravel() for image in IMAGES]
    offsets = np.cumsum([0, *(len(part) for part in parts)])
    np.savez(tmp_path / "a.npz", webp=np.concatenate(parts), webp_offsets=offsets, label7=np.zeros(3, np.uint8))

    data = read_emotion_npz(tmp_path / "a.npz")

    # Grey goes through WebP's colour space: off by a grey level at most.
    assert np.abs(data.images.astype(int) - IMAGES).max() <= 1


def test_a_label_out_of_range_is_named_with_its_row(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", images=IMAGES, label7=np.array([0, 7, 1]))

    with pytest.raises(DataError, match=r"a\.npz: key label7, row 1: expected 0\.\.6, found 7"):
        read_emotion_npz(tmp_path / "a.npz")


def test_a_file_without_labels_is_an_error(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", images=IMAGES)

    with pytest.raises(DataError, match="expected key label7 or label5"):
        read_emotion_npz(tmp_path / "a.npz")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 and no more", b"text"])
def test_a_broken_file_is_an_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.npz").write_bytes(content)

    with pytest.raises(DataError, match="not a readable npz file"):
        read_emotion_npz(tmp_path / "a.npz")


def test_pickled_objects_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", images=np.array([{}], dtype=object), label7=np.zeros(1))

    with pytest.raises(DataError, match="not a readable npz file"):
        read_emotion_npz(tmp_path / "a.npz")


def test_votes_of_no_face_and_unknown_votes_count_nothing(tmp_path: Path) -> None:
    votes = np.zeros((3, 10), np.uint8)
    votes[0, [0, 1]] = 4, 6  # neutral, happiness
    votes[1, [1, 9]] = 4, 6  # happiness, not a face
    votes[2] = 255
    np.savez(tmp_path / "a.npz", images=IMAGES, label7=np.zeros(3, np.uint8), ferplus_votes=votes)

    data = read_emotion_npz(tmp_path / "a.npz")

    assert data.votes is not None
    assert data.votes[0, CLASS_NAMES.index("happy")] == pytest.approx(0.6)
    assert np.isnan(data.votes[1:]).all()


def test_points_of_wide_pictures_belong_to_the_middle(tmp_path: Path) -> None:
    wide = np.zeros((1, 160, 160), np.uint8)
    wide[0, 32:128, 32:128] = 200
    np.savez(tmp_path / "a.npz", images=wide, points=np.zeros((1, KEYPOINT_COUNT, 2), np.float32))

    data = read_keypoint_npz(tmp_path / "a.npz")

    assert data.margin_px == 32
    assert data.crops.shape == (1, INPUT_SIZE_PX, INPUT_SIZE_PX)
    assert data.crops.min() == 200


@pytest.mark.parametrize(
    ("arrays", "told"),
    [
        ({"images": IMAGES, "label5": np.full(3, -1)}, r"key label5: .* found -1 alone"),
        ({"images": IMAGES, "label7": np.array(["sad", "happy", "fear"])}, r"key label7: expected one whole number"),
        ({"images": IMAGES[:0], "label7": np.zeros(0, np.uint8)}, "holds no picture"),
        ({"images": IMAGES[:, :, :40], "label7": np.zeros(3, np.uint8)}, "expected square pictures, found 48 x 40"),
        (
            {"images": IMAGES, "label7": np.zeros(3, np.uint8), "ferplus_votes": np.ones((3, 8), np.uint8)},
            r"key ferplus_votes: expected \(N, 10\) counts, found \(3, 8\)",
        ),
    ],
    ids=["nobody", "texts", "empty", "oblong", "votes"],
)
def test_what_cannot_be_trained_on_is_named(tmp_path: Path, arrays: dict[str, NDArray[np.uint8]], told: str) -> None:
    np.savez(tmp_path / "a.npz", allow_pickle=False, **arrays)

    with pytest.raises(DataError, match=rf"a\.npz: {told}"):
        read_emotion_npz(tmp_path / "a.npz")


def test_pictures_smaller_than_the_crop_have_no_points(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", images=IMAGES, points=np.zeros((3, KEYPOINT_COUNT, 2), np.float32))

    with pytest.raises(DataError, match=r"a\.npz: expected square pictures of 96 x 96 or more, found 48 x 48"):
        read_keypoint_npz(tmp_path / "a.npz")
