"""A camera that goes wrong on purpose, in real time: each opening follows the next line of a script."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from edge_runtime.datatypes import Frame
from edge_runtime.errors import DeviceNotFoundError, SourceError
from edge_runtime.interfaces import Clock

if TYPE_CHECKING:
    from typing_extensions import Self

CameraFault = Literal["none", "missing", "hangs", "breaks", "ends", "stalls", "freezes", "goes black"]

HANG_S: Final = 60.0
"""A read that stalls, or an opening that hangs, returns after this time at last, if nobody ends it before."""


class FaultyCamera:
    """A live source of noisy pictures of 160 x 120 that fails after some frames, as the script says."""

    def __init__(
        self, script: Sequence[CameraFault], *, clock: Clock, good_frames: int = 10, fps: float = 25.0
    ) -> None:
        """Prepare it; nothing is opened.

        Args:
            script: what goes wrong in each opening; the last one is repeated.
            clock: gives `captured_at`.
            good_frames: given in every opening before its fault.
            fps: pictures a second, in real time.
        """
        self.name = "camera:fake"
        self.live = True
        self.openings = 0
        self.closings = 0
        self.faulty_at: float | None = None
        """Monotonic second of the newest fault."""
        self._script, self._clock, self._good_frames, self._fps = script, clock, good_frames, fps
        self._rng = np.random.default_rng(1)
        self._released = threading.Event()
        self._open = False

    def __enter__(self) -> Self:
        """Open it; DeviceNotFoundError when the script says so, or only when it is released."""
        fault = self._fault()
        self.openings += 1
        if fault == "missing":
            self.faulty_at = self._clock.monotonic()
            raise DeviceNotFoundError(f"{self.name}: not there")
        if fault == "hangs":
            self.faulty_at = self._clock.monotonic()
            self._released.wait(HANG_S)
            raise DeviceNotFoundError(f"{self.name}: did not answer")
        self._open = True
        return self

    def __exit__(self, *exc: object) -> None:
        """Close it."""
        self.closings += 1
        self._open = False

    def release(self) -> None:
        """End every read and opening that hangs, so that no thread is left."""
        self._released.set()

    def frames(self) -> Iterator[Frame]:
        """Yield good pictures, then do what the script says."""
        if not self._open:
            raise SourceError(f"{self.name}: frames() outside `with`; open the source first")
        fault = self._fault(opened=True)
        index = 0
        while fault == "none" or index < self._good_frames:
            yield self._frame(index)
            index += 1
        self.faulty_at = self._clock.monotonic()
        if fault == "breaks":
            raise SourceError(f"{self.name}: unplugged after {index} frames")
        if fault == "stalls":
            self._released.wait(HANG_S)
        if fault in ("ends", "stalls"):
            return
        last = self._frame(index).pixels
        while not self._released.is_set():
            pixels = last if fault == "freezes" else self._frame(index, level=4.0).pixels
            index += 1
            yield Frame(index, self._clock.monotonic(), pixels.copy())
            self._released.wait(1.0 / self._fps)

    def _fault(self, *, opened: bool = False) -> CameraFault:
        return self._script[min(self.openings - opened, len(self._script) - 1)]

    def _frame(self, index: int, *, level: float = 120.0) -> Frame:
        """Wait for the time of the next picture and draw it: grey steps under a sensor's noise."""
        self._released.wait(1.0 / self._fps)
        steps = np.linspace(0.2, 1.8, 160) if level > 32.0 else np.ones(160)
        pixels = steps * level + self._rng.normal(0.0, 1.0, (120, 160))
        return Frame(index, self._clock.monotonic(), np.clip(pixels, 0, 255).astype(np.uint8))
