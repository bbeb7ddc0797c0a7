"""Faces cut out of photographs, as scenes that are laid into other pictures: more people, ages and expressions.

Data of both other nets serves: faces with points, and labelled faces, whose points our own keypoint net tells.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from converter.answers import int8_points
from converter.datasets.copies import near_copy_groups
from converter.datasets.npz import read_emotion_npz, read_keypoint_npz
from converter.datasets.types import TRAINING
from converter.faces.data import Boxes, DetectionData, Scene
from edge_runtime.bundle import builtin_bundle_path, load_bundle
from edge_runtime.contract import INPUT_SIZE_PX, LEFT_EYE, NOSE_TIP, RIGHT_EYE
from edge_runtime.framing import tight_box_of_points
from edge_runtime.preprocess import enlarge

NEAR_COPY: Final = 0.95
"""Correlation from which a face counts as a copy of a face that is only reported on."""

_BLANK = 2.0
_LEAST_EYES, _MOST_EYES = 0.2, 0.55
"""Distance of the eye centres in a labelled face, of its side: outside these the points are not a face's."""


def read_point_faces(path: Path) -> DetectionData:
    """Read faces with points; the box is what the runtime guesses from points."""
    faces = read_keypoint_npz(path)
    points = faces.points + faces.margin_px
    scenes = tuple(_scene(image, face) for image, face in zip(faces.images, points, strict=True))
    return DetectionData(scenes, np.char.add(f"{path.name}:", faces.person))


def read_labelled_faces(path: Path) -> DetectionData:
    """Read the Training rows of labelled faces without blank ones and copies of faces of other parts.

    A face whose points look wrong is ignored, not left out: which rows there are must depend on the file alone, or a
    run could not be read again with another keypoint net in the package.
    """
    faces = read_emotion_npz(path)
    groups = near_copy_groups(faces.images, correlation=NEAR_COPY)
    reported = np.isin(groups, groups[faces.usage != TRAINING])
    blank = faces.images.reshape(len(faces), -1).std(axis=1) <= _BLANK
    rows = np.flatnonzero(~reported & ~blank)
    images = faces.images[rows]
    crops = np.stack([enlarge(image) for image in images])
    points = int8_points(load_bundle(builtin_bundle_path("keypoints"), kind="keypoints"), crops)
    eyes = np.linalg.norm(points[:, LEFT_EYE] - points[:, RIGHT_EYE], axis=1) / INPUT_SIZE_PX
    unusual = (eyes <= _LEAST_EYES) | (eyes >= _MOST_EYES)
    # Pixel centres: 0 of the small picture lies at 0.5 of one that is twice as large.
    scale = images.shape[1] / INPUT_SIZE_PX
    small = (points + 0.5) * scale - 0.5
    scenes = tuple(
        _scene(image, face, ignored=bool(odd)) for image, face, odd in zip(images, small, unusual, strict=True)
    )
    return DetectionData(scenes, np.char.add(f"{path.name}:", groups[rows].astype(np.str_)))


def _scene(image: NDArray[np.uint8], points: NDArray[np.float32], *, ignored: bool = False) -> Scene:
    """A face with its tight box, cut at the picture's border."""
    known = np.array(points, np.float32)
    if np.isnan(known[NOSE_TIP]).any():  # some sources do not mark it, and it never is the outermost point
        known[NOSE_TIP] = known[[LEFT_EYE, RIGHT_EYE]].mean(axis=0)
    box = tight_box_of_points(known)
    side = image.shape[0]
    corners: Boxes = np.clip(np.array([[box.x0, box.y0, box.x1, box.y1]], np.float32) + 0.5, 0, side)
    return Scene(image, corners, np.array([ignored]), cutout=True)
