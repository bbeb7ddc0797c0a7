"""A fake for every Protocol: scripted, deterministic, and as strict as the real ones."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from edge_runtime.clock import uuid7_from
from edge_runtime.contract import INPUT_SCALE, INPUT_SIZE_PX, INPUT_ZERO_POINT
from edge_runtime.datatypes import FaceBox, Frame, ShapeError
from edge_runtime.errors import SourceError
from edge_runtime.interfaces import Message
from edge_runtime.quantization import Quantization

if TYPE_CHECKING:
    from typing_extensions import Self


class ManualClock:
    """Time that moves only when told, and ids that can be told in advance."""

    def __init__(self, *, utc: float = 1_767_225_600.0) -> None:
        """Start at 2026-01-01 by default."""
        self._elapsed = 0.0
        self._start = utc
        self._serial = itertools.count(1)
        self.is_synchronized = True

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._elapsed += seconds

    def monotonic(self) -> float:
        """Seconds since this clock was made."""
        return self._elapsed

    def utc(self) -> float:
        """Start plus elapsed."""
        return self._start + self._elapsed

    def synchronized(self) -> bool:
        """Say what the test set."""
        return self.is_synchronized

    def uuid4(self) -> str:
        """Count: 00000000-0000-4000-8000-000000000001, ..."""
        return f"00000000-0000-4000-8000-{next(self._serial):012d}"

    def uuid7(self) -> str:
        """Lay out the manual time and a counter."""
        return uuid7_from(round(self.utc() * 1000), next(self._serial).to_bytes(10, "big"))


class FakeSource:
    """Yields given pictures at a given rate; can break on purpose."""

    def __init__(
        self,
        pictures: Sequence[NDArray[np.uint8]],
        *,
        fps: float = 25.0,
        live: bool = False,
        fails_after: int | None = None,
    ) -> None:
        """Hold (h, w) uint8 pictures; `fails_after` frames raise SourceError as an unplugged camera does."""
        self.name = "fake"
        self.live = live
        self._pictures = pictures
        self._fps = fps
        self._fails_after = fails_after
        self._open = False

    def __enter__(self) -> Self:
        """Open it."""
        self._open = True
        return self

    def __exit__(self, *exc: object) -> None:
        """Close it."""
        self._open = False

    def frames(self) -> Iterator[Frame]:
        """Yield every picture once."""
        if not self._open:
            raise SourceError("fake: frames() outside `with`; open the source first")
        for index, picture in enumerate(self._pictures):
            if self._fails_after is not None and index >= self._fails_after:
                raise SourceError(f"fake: unplugged after {index} frames")
            yield Frame(index, index / self._fps, picture.copy())


class FakeDetector:
    """Answers with scripted boxes, one list a call; the last list is repeated."""

    def __init__(self, script: Sequence[Sequence[FaceBox]]) -> None:
        """Hold the answers."""
        self.name = "fake"
        self.calls = 0
        self._script = script

    def detect(self, pixels: NDArray[np.uint8]) -> Sequence[FaceBox]:
        """Return the next answer, cut at the picture's border."""
        if pixels.ndim != 2 or pixels.dtype != np.uint8:
            raise ShapeError(f"detector: expected (height, width) uint8, found {pixels.shape} {pixels.dtype}")
        answer = self._script[min(self.calls, len(self._script) - 1)] if self._script else ()
        self.calls += 1
        height, width = pixels.shape
        return [FaceBox(found.box.clipped(width, height), found.score) for found in answer]


class FakeInterpreter:
    """Runs a function instead of a net; refuses what a real net refuses."""

    def __init__(
        self,
        answer: Callable[[NDArray[np.int8]], NDArray[np.int8]],
        *,
        output: Quantization,
        outputs: int,
    ) -> None:
        """Wrap `answer`: (1, 96, 96, 1) int8 -> (1, outputs) int8."""
        self.input_shape: tuple[int, ...] = (1, INPUT_SIZE_PX, INPUT_SIZE_PX, 1)
        self.input_quantization = Quantization(INPUT_SCALE, INPUT_ZERO_POINT)
        self.output_quantizations: tuple[Quantization, ...] = (output,)
        self.output_shapes: tuple[tuple[int, ...], ...] = ((1, outputs),)
        self.runtime = "fake"
        self.device = "cpu"
        self._answer = answer

    def invoke(self, stored: NDArray[np.int8]) -> tuple[NDArray[np.int8], ...]:
        """Run the function."""
        if stored.shape != self.input_shape or stored.dtype != np.int8:
            raise ShapeError(f"interpreter: expected {self.input_shape} int8, found {stored.shape} {stored.dtype}")
        return (self._answer(stored).copy(),)


class MemorySink:
    """Keeps every message in a list."""

    def __init__(self) -> None:
        """Start empty."""
        self.name = "memory"
        self.messages: list[Message] = []
        self.open = False

    def __enter__(self) -> Self:
        """Open it."""
        self.open = True
        return self

    def __exit__(self, *exc: object) -> None:
        """Close it."""
        self.open = False

    def publish(self, message: Message) -> None:
        """Keep one message."""
        self.messages.append(message)
