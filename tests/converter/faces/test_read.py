"""Training data of the faces net: pictures with boxes, and faces of the other nets' data that are laid into them."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from converter.errors import DataError
from converter.faces.read import read_training_scenes
from edge_runtime.contract import INPUT_SIZE_PX, KEYPOINT_COUNT, NOSE_TIP
from edge_runtime.framing import POINTS_CENTER, TIGHT_CENTER, TIGHT_SIZE_PX
from tests.faces import FACE_IN_CROP

WIDE_PX = 160


def write_point_faces(path: Path, *, nose: bool) -> Path:
    """Write one face as the keypoint crops frame it, in the middle of a wider picture."""
    points = FACE_IN_CROP.copy()
    if not nose:
        points[NOSE_TIP] = np.nan
    images = np.full((1, WIDE_PX, WIDE_PX), 90, np.uint8)
    np.savez(path, images=images, points=points[np.newaxis], person=np.array(["somebody"]), source=np.array(["drawn"]))
    return path


@pytest.mark.parametrize("nose", [True, False])
def test_a_face_with_points_has_the_box_that_the_runtime_guesses(tmp_path: Path, *, nose: bool) -> None:
    found = read_training_scenes([write_point_faces(tmp_path / "points.npz", nose=nose)])

    margin = (WIDE_PX - INPUT_SIZE_PX) / 2
    x, y = TIGHT_CENTER[0] + margin + 0.5, TIGHT_CENTER[1] + margin + 0.5
    width, height = TIGHT_SIZE_PX
    (scene,) = found.scenes
    assert scene.cutout
    assert scene.boxes[0] == pytest.approx([x - width / 2, y - height / 2, x + width / 2, y + height / 2], abs=0.01)
    assert POINTS_CENTER[1] + margin > (scene.boxes[0][1] + scene.boxes[0][3]) / 2


@pytest.fixture
def photograph_face() -> NDArray[np.uint8]:
    """Cut the face out of scikit-image's photograph as FER2013 does."""
    data = pytest.importorskip("skimage.data", reason="the photograph comes with scikit-image")
    grey = cv2.cvtColor(data.astronaut(), cv2.COLOR_RGB2GRAY)
    return np.asarray(cv2.resize(grey[70:182, 168:280], (48, 48), interpolation=cv2.INTER_AREA), np.uint8)


def test_labelled_faces_are_those_of_the_training_rows_alone(
    tmp_path: Path, photograph_face: NDArray[np.uint8]
) -> None:
    blank = np.full_like(photograph_face, 7)
    images = np.stack([photograph_face, photograph_face[:, ::-1], blank, np.roll(photograph_face, 4, axis=0)])
    np.savez(tmp_path / "faces.npz", images=images, label7=np.array([3, 3, 0, 4]), usage=np.array([0, 1, 0, 0]))

    found = read_training_scenes([tmp_path / "faces.npz"])

    # The first is a mirrored copy of a reported face, the third shows nothing.
    assert len(found) == 1
    assert np.array_equal(found.scenes[0].pixels, images[3])


def test_a_face_whose_points_look_wrong_keeps_its_row_and_is_ignored(
    tmp_path: Path, photograph_face: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = np.full((1, KEYPOINT_COUNT, 2), 40, np.float32)
    monkeypatch.setattr("converter.faces.cutouts.int8_points", lambda _bundle, _crops: nowhere)
    np.savez(tmp_path / "faces.npz", images=photograph_face[np.newaxis], label7=np.array([3]), usage=np.array([0]))

    (scene,) = read_training_scenes([tmp_path / "faces.npz"]).scenes

    assert scene.ignored.tolist() == [True]


def test_other_files_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "odd.npz", numbers=np.arange(3))

    with pytest.raises(DataError, match=r"expected pictures with face boxes .* found numbers"):
        read_training_scenes([tmp_path / "odd.npz"])


def test_flags_of_a_box_are_told_apart(tmp_path: Path) -> None:
    jpeg = cv2.imencode(".jpg", np.full((40, 60), 90, np.uint8))[1].ravel()
    flags = np.zeros((4, 5), np.uint8)
    flags[[0, 1, 2, 3], [0, 1, 2, 3]] = 1  # blurred, covered, to ignore, turned
    np.savez(
        tmp_path / "pictures.npz",
        jpeg=jpeg,
        offsets=np.array([0, len(jpeg)]),
        boxes=np.array([[1, 2, 10, 12]] * 4, np.float32),
        box_offsets=np.array([0, 4]),
        flags=flags,
        group=np.array(["a"]),
    )

    (scene,) = read_training_scenes([tmp_path / "pictures.npz"]).scenes

    assert scene.boxes[0].tolist() == [1, 2, 11, 14]
    assert scene.ignored.tolist() == [False, False, True, False]
    assert scene.turned is not None
    assert scene.turned.tolist() == [False, False, False, True]
