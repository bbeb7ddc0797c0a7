"""Draws what was seen over a picture: box, points, label, scores and track number of every face."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_runtime.contract import EMOTION_LABELS
from edge_runtime.datatypes import Face, Observation

Picture = NDArray[np.uint8]
"""(height, width, 3) blue, green, red."""

Color = tuple[int, int, int]
"""Blue, green, red."""

COLORS: Final[Mapping[str, Color]] = {
    "angry": (82, 82, 255),
    "disgust": (100, 200, 120),
    "sad": (255, 160, 70),
    "happy": (60, 200, 255),
    "surprise": (240, 120, 210),
    "uncertain": (190, 190, 190),
}

_INK: Final[Color] = (245, 245, 245)
_PLATE: Final[Color] = (28, 24, 22)
_PLATE_SHARE: Final = 0.72
_FONT: Final = cv2.FONT_HERSHEY_SIMPLEX
_BAR_WIDTH: Final = 64
_NAME_WIDTH: Final = 62
_ROW: Final = 16
_PAD: Final = 7


def annotated(pixels: NDArray[np.uint8], seen: Observation, factor: int = 1) -> Picture:
    """Return a colour copy of a grey frame with everything drawn on it.

    Args:
        pixels: (height, width) grey.
        seen: what the pipeline said of this frame.
        factor: the copy is so many times larger, so that text is sharp over small pictures.
    """
    large = pixels
    if factor > 1:
        size = (pixels.shape[1] * factor, pixels.shape[0] * factor)
        large = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_CUBIC), np.uint8)
    picture = np.asarray(cv2.cvtColor(large, cv2.COLOR_GRAY2BGR), np.uint8)
    for face in sorted(seen.faces, key=lambda face: face.box.area):  # the largest last: its words stay readable
        _draw_face(picture, face, factor)
    _draw_words(picture, f"{seen.captured_at:.2f} s", (_PAD, picture.shape[0] - _PAD - _ROW))
    return picture


def _draw_face(picture: Picture, face: Face, factor: int) -> None:
    color = COLORS[face.emotion.label]
    x0, y0, x1, y1 = (round(edge * factor) for edge in (face.box.x0, face.box.y0, face.box.x1, face.box.y1))
    _draw_corners(picture, (x0, y0, x1, y1), color)
    # Boxes are told by their edges, points by pixel centres, which lie at whole numbers also in the enlarged picture.
    points = (face.keypoints.points + 0.5) * factor - 0.5
    radius = max(2, round((x1 - x0) / 70))
    for x, y in points:
        # Four more bits: a point that trembles by half a pixel must not jump by a whole one.
        place = (round(float(x) * 16), round(float(y) * 16))
        cv2.circle(picture, place, (radius + 1) * 16, _PLATE, -1, cv2.LINE_AA, 4)
        cv2.circle(picture, place, radius * 16, color, -1, cv2.LINE_AA, 4)
    reason = face.emotion.uncertain_reason
    words = f"uncertain: {reason.replace('_', ' ')}" if reason else f"{face.emotion.label} {face.emotion.support:.0%}"
    above = y0 - _ROW - 2 * _PAD - 2
    _draw_words(picture, f"face {face.track_id}  {words}", (x0, above if above >= 0 else y1 + 2), color)
    _draw_scores(picture, face, _panel_place(picture, (x0, y0, x1, y1)))


def _draw_corners(picture: Picture, box: tuple[int, int, int, int], color: Color) -> None:
    """Draw a frame that leaves the face free: a quarter of each side from every corner."""
    x0, y0, x1, y1 = box
    across, down = (x1 - x0) // 4, (y1 - y0) // 4
    for thickness, ink in ((4, _PLATE), (2, color)):
        for x, step_x in ((x0, across), (x1, -across)):
            for y, step_y in ((y0, down), (y1, -down)):
                cv2.line(picture, (x, y), (x + step_x, y), ink, thickness, cv2.LINE_AA)
                cv2.line(picture, (x, y), (x, y + step_y), ink, thickness, cv2.LINE_AA)


def _draw_words(picture: Picture, words: str, place: tuple[int, int], color: Color = _INK) -> None:
    """Write on a dark plate whose upper left corner is at `place`, moved so that it is inside the picture."""
    (width, _), _ = cv2.getTextSize(words, _FONT, 0.5, 1)
    width, height = width + 2 * _PAD, _ROW + 2 * _PAD - 4
    x = max(0, min(place[0], picture.shape[1] - width))
    y = max(0, min(place[1], picture.shape[0] - height))
    _darken(picture, (x, y, width, height))
    cv2.putText(picture, words, (x + _PAD, y + height - _PAD - 1), _FONT, 0.5, color, 1, cv2.LINE_AA)


def _panel_place(picture: Picture, box: tuple[int, int, int, int]) -> tuple[int, int]:
    """Put the scores to the right of a box, else to its left, else over its right edge."""
    x0, y0, x1, _ = box
    width, height = _panel_size()
    right, left = x1 + _PAD, x0 - _PAD - width
    limit = picture.shape[1] - width
    x = right if right <= limit else left if left >= 0 else limit
    return max(0, x), max(0, min(y0, picture.shape[0] - height))


def _panel_size() -> tuple[int, int]:
    return _NAME_WIDTH + _BAR_WIDTH + 3 * _PAD, len(EMOTION_LABELS) * _ROW + 2 * _PAD - 4


def _draw_scores(picture: Picture, face: Face, place: tuple[int, int]) -> None:
    x, y = place
    _darken(picture, (x, y, *_panel_size()))
    for row, (label, share) in enumerate(face.emotion.as_dict().items()):
        base = y + _PAD + row * _ROW
        cv2.putText(picture, label, (x + _PAD, base + 9), _FONT, 0.38, _INK, 1, cv2.LINE_AA)
        left = x + 2 * _PAD + _NAME_WIDTH
        cv2.rectangle(picture, (left, base + 2), (left + _BAR_WIDTH, base + 9), (70, 66, 64), -1)
        if share > 0.005:
            cv2.rectangle(picture, (left, base + 2), (left + round(share * _BAR_WIDTH), base + 9), COLORS[label], -1)


def _darken(picture: Picture, area: tuple[int, int, int, int]) -> None:
    """Lay a dark, half transparent plate over x, y, width, height."""
    x, y, width, height = area
    under = picture[y : y + height, x : x + width]
    under[:] = (under * (1 - _PLATE_SHARE) + np.array(_PLATE) * _PLATE_SHARE).astype(np.uint8)
