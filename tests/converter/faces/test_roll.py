from __future__ import annotations

import math

import numpy as np
import pytest

from converter.faces.roll import lay_rolled

BRIGHT, DARK = 250, 20


@pytest.mark.parametrize("angle_deg", [-75.0, -20.0, 0.0, 45.0, 90.0])
def test_a_rolled_face_fills_the_box_that_is_told(angle_deg: float) -> None:
    patch = np.full((120, 100), DARK, np.uint8)
    rows, columns = np.mgrid[0:120, 0:100] + 0.5
    patch[((columns - 50) / 32) ** 2 + ((rows - 60) / 40) ** 2 <= 1] = BRIGHT  # an ellipse, as wide as its box
    canvas = np.full((300, 300), DARK, np.uint8)
    face = np.array([[18, 20, 82, 100]], np.float32)

    (box,) = lay_rolled(
        canvas, patch, face, math.radians(angle_deg), (np.array([50.0, 60.0]), np.array([140.0, 130.0]))
    )

    bright = np.argwhere(canvas > 200)[:, ::-1]
    assert box == pytest.approx([*bright.min(axis=0), *(bright.max(axis=0) + 1)], abs=1.0)
    assert (box[:2] + box[2:]) / 2 == pytest.approx([140.0, 130.0], abs=1e-3)


def test_what_a_patch_does_not_cover_stays() -> None:
    canvas = np.full((60, 60), 99, np.uint8)

    lay_rolled(
        canvas,
        np.full((10, 10), BRIGHT, np.uint8),
        np.empty((0, 4), np.float32),
        math.radians(45),
        (np.array([5.0, 5.0]), np.array([30.0, 30.0])),
    )

    assert canvas[30, 30] == BRIGHT
    assert (canvas == BRIGHT).sum() == pytest.approx(100, abs=12)
    assert (canvas == 99).sum() + (canvas == BRIGHT).sum() == canvas.size
