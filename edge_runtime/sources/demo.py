"""A clip made on the fly: a virtual camera moves over a photograph in which one face looks at it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from edge_runtime.datatypes import Frame
from edge_runtime.errors import SourceError

if TYPE_CHECKING:
    from typing_extensions import Self

WIDTH_PX: Final = 640
HEIGHT_PX: Final = 480
FPS: Final = 25.0
FRAME_COUNT: Final = 300
"""12 seconds; the last frame leads into the first."""

_FACE_X, _FACE_Y = 224.0, 122.0
"""Middle of the face, pixels of the photograph."""
_AWAY_X, _AWAY_Y = 120.0, 255.0
"""How far the camera turns away, pixels of the photograph: down to the suit and the model of the shuttle."""
_LEAVES_AT_S, _AWAY_AT_S, _RETURNS_AT_S, _BACK_AT_S = 5.0, 6.4, 8.2, 9.6


class Demo:
    """The photograph of the astronaut Eileen Collins that comes with scikit-image (NASA, public domain)."""

    def __init__(self, *, loop: bool = False) -> None:
        """Load the photograph.

        Args:
            loop: start again after 12 seconds, for ever; times and indices go on.

        Raises:
            SourceError: scikit-image, which holds the photograph, or OpenCV is not installed.
        """
        self.name = "demo"
        self.live = False
        self._loop = loop
        self._open = False
        try:
            import cv2
            from skimage import data
        except ImportError as error:
            raise SourceError(
                f"demo: {error.name} is not installed; its photograph comes with `pip install 'emotion-edge[demo]'`"
            ) from error
        self._cv2: Any = cv2
        self._photograph: Any = cv2.cvtColor(data.astronaut(), cv2.COLOR_RGB2GRAY)  # (512, 512) uint8

    def __enter__(self) -> Self:
        """Allow frames() to be called."""
        self._open = True
        return self

    def __exit__(self, *exc: object) -> None:
        """Nothing is held."""
        self._open = False

    def frames(self) -> Iterator[Frame]:
        """Yield (480, 640) frames, 25 a second of their own time; the same ones in every run."""
        if not self._open:
            raise SourceError("demo: frames() outside `with`; open the source first")
        index = 0
        while self._loop or index < FRAME_COUNT:
            yield Frame(index, index / FPS, self._view((index % FRAME_COUNT) / FPS))
            index += 1

    def _view(self, at_s: float) -> NDArray[np.uint8]:
        cv2 = self._cv2
        picture = cv2.warpAffine(
            self._photograph,
            camera_matrix(at_s),
            (WIDTH_PX, HEIGHT_PX),
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        return np.asarray(picture, dtype=np.uint8)


def camera_matrix(at_s: float) -> NDArray[np.float64]:
    """(2, 3) map from the photograph to the frame at a time of the clip, 0..12 s.

    All terms repeat after 12 s, so that the clip can loop without a jump.
    """
    turn = 2 * math.pi * at_s * FPS / FRAME_COUNT
    away = _ramp(at_s, _LEAVES_AT_S, _AWAY_AT_S) - _ramp(at_s, _RETURNS_AT_S, _BACK_AT_S)
    x = _FACE_X + 14 * math.sin(2 * turn) + away * _AWAY_X
    y = _FACE_Y + 8 * math.sin(3 * turn) + away * _AWAY_Y
    zoom = 1.7 + 0.3 * math.sin(turn)
    roll = math.radians(7) * math.sin(2 * turn + 1.0)
    a, b = zoom * math.cos(roll), zoom * math.sin(roll)
    return np.array([[a, -b, WIDTH_PX / 2 - a * x + b * y], [b, a, HEIGHT_PX / 2 - b * x - a * y]])


def _ramp(at_s: float, start_s: float, end_s: float) -> float:
    """Go from 0 to 1 between two times, without a jerk at either end."""
    share = min(max((at_s - start_s) / (end_s - start_s), 0.0), 1.0)
    return share * share * (3 - 2 * share)
