"""Whether a live source still shows the world: notices a picture that stands still and one that is of one shade."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
from numpy.typing import NDArray

from edge_runtime.datatypes import Frame
from edge_runtime.errors import CameraFrozenError
from edge_runtime.interfaces import Source
from edge_runtime.settings import Source as SourceSettings

if TYPE_CHECKING:
    from typing_extensions import Self

logger = logging.getLogger(__name__)

PictureTrouble = Literal["frozen", "black", "one shade"]

SAMPLE_STEP_PX: Final = 16
"""Every so many pixels of every so many rows are looked at: 1200 of 640 x 480."""
FLAT_SPREAD: Final = 3.0
"""Standard deviation, grey levels, below which a picture shows nothing. A white wall with a face has 20 and more."""
BLACK_LEVEL: Final = 32.0
"""Mean grey level below which a picture of one shade is called black."""


class PictureWatch:
    """Looks at the frames of one opening of a live source, in order. Their own times count, so no clock is read.

    A sensor has noise, so two pictures that are equal to the last pixel are one picture sent twice. A black one is no
    such proof: what is cut off at zero has no noise. So a picture of one shade is never called frozen.
    """

    def __init__(self, settings: SourceSettings) -> None:
        """Begin with nothing seen."""
        self.has_changed = False
        """Whether two frames that followed each other differed."""
        self._frozen_s, self._flat_s = settings.frozen_s, settings.flat_s
        self._last: Frame | None = None
        self._same_since = self._flat_since = float("inf")

    def look(self, frame: Frame) -> PictureTrouble | None:
        """Say what is wrong with the picture by now; None when nothing is, or not for long enough."""
        sample = frame.pixels[::SAMPLE_STEP_PX, ::SAMPLE_STEP_PX]  # (h / 16, w / 16)
        last, self._last = self._last or frame, frame
        same = _equal(sample, frame.pixels, last.pixels)
        flat = float(sample.std()) < FLAT_SPREAD
        self.has_changed = self.has_changed or not same
        now = frame.captured_at
        self._same_since = min(self._same_since, last.captured_at) if same and not flat else float("inf")
        self._flat_since = min(self._flat_since, now) if flat else float("inf")
        if self._frozen_s and now - self._same_since >= self._frozen_s:
            return "frozen"
        if self._flat_s and now - self._flat_since >= self._flat_s:
            return "black" if float(sample.mean()) < BLACK_LEVEL else "one shade"
        return None


class WatchedSource:
    """A live source under watch: breaks when its picture stands still, and leaves out frames when told to slow down.

    Runs in the capture thread; what it counts and says, others read.
    """

    def __init__(
        self,
        source: Source,
        settings: SourceSettings,
        *,
        limit_fps: Callable[[], float | None] = lambda: None,
        left_out: Counter[str] | None = None,
    ) -> None:
        """Wrap a live source.

        Args:
            source: not yet open.
            settings: how long a picture may stand still or be of one shade.
            limit_fps: asked at every frame; frames above this rate are left out and counted. None = no limit.
            left_out: counts on in it; None = begins at 0.
        """
        self.name, self.live = source.name, source.live
        self.trouble: PictureTrouble | None = None
        """What is wrong with the newest picture."""
        self.left_out: Counter[str] = Counter() if left_out is None else left_out
        """Frames that nobody will see, by reason: slowed, damaged. Since the program began."""
        self._source, self._settings, self._limit_fps = source, settings, limit_fps
        self._due_at = float("-inf")
        self._damaged_before = 0

    def __enter__(self) -> Self:
        """Open the source."""
        self._source.__enter__()
        self.trouble, self._due_at, self._damaged_before = None, float("-inf"), 0
        return self

    def __exit__(self, *exc: object) -> None:
        """Close the source."""
        self._source.__exit__(*exc)

    def frames(self) -> Iterator[Frame]:
        """Yield the source's frames; CameraFrozenError when its picture stands still."""
        watch = PictureWatch(self._settings)
        for frame in self._source.frames():
            self._count_damaged()
            self.trouble = watch.look(frame)
            if self.trouble == "frozen":
                raise CameraFrozenError(
                    f"{self.name}: the same picture for {self._settings.frozen_s:g} s; the camera hangs",
                    has_moved=watch.has_changed,
                )
            if self._is_due(frame.captured_at):
                yield frame
            else:
                self.left_out["slowed"] += 1

    def _count_damaged(self) -> None:
        """Add what the source skipped since the last frame; it counts anew at every opening."""
        damaged = int(getattr(self._source, "skipped", 0))
        self.left_out["damaged"] += max(0, damaged - self._damaged_before)
        self._damaged_before = damaged

    def _is_due(self, now: float) -> bool:
        limit = self._limit_fps()
        if limit is None:
            self._due_at = now
            return True
        if now < self._due_at:
            return False
        period = 1.0 / limit
        # Stay on the grid of the rate; after a gap begin a new one instead of catching up.
        self._due_at = self._due_at + period if now - self._due_at < period else now + period
        return True


def _equal(sample: NDArray[np.uint8], pixels: NDArray[np.uint8], last: NDArray[np.uint8]) -> bool:
    """Whether two pictures are the same; the whole is compared only where the sample is equal, which noise forbids."""
    if pixels.shape != last.shape:
        return False
    return np.array_equal(sample, last[::SAMPLE_STEP_PX, ::SAMPLE_STEP_PX]) and np.array_equal(pixels, last)
