"""The seams: what a source, a detector, an interpreter, a sink and a clock must do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from edge_runtime.datatypes import FaceBox, Frame
from edge_runtime.quantization import Quantization

if TYPE_CHECKING:
    from typing_extensions import Self


class Clock(Protocol):
    """Time and identity, owned by tests when it matters."""

    def monotonic(self) -> float:
        """Seconds that never step; for every duration."""
        ...

    def utc(self) -> float:
        """Seconds since 1970 in UTC; only for what is written."""
        ...

    def synchronized(self) -> bool:
        """Whether the wall clock is known to be right."""
        ...

    def uuid4(self) -> str:
        """Return a random UUID."""
        ...

    def uuid7(self) -> str:
        """Return a UUID that sorts by time (RFC 9562)."""
        ...


class Source(Protocol):
    """Where frames come from. One reader at a time; the life cycle is `with`."""

    name: str
    """What events call it: a path or a device, never a secret."""

    live: bool
    """True: a camera, old frames may be dropped. False: a file, every frame is processed."""

    def __enter__(self) -> Self:
        """Open it; SourceError when that fails."""
        ...

    def __exit__(self, *exc: object) -> None:
        """Give the device back."""
        ...

    def frames(self) -> Iterator[Frame]:
        """Yield until the source ends; raise SourceError when it breaks."""
        ...


class Detector(Protocol):
    """Finds faces in a whole frame."""

    name: str

    def detect(self, pixels: NDArray[np.uint8]) -> Sequence[FaceBox]:
        """Find faces in a (height, width) grey picture: tight boxes inside it, best first."""
        ...


class Interpreter(Protocol):
    """Runs one int8 model."""

    input_shape: tuple[int, ...]
    """(1, height, width, 1)."""

    input_quantization: Quantization
    output_quantizations: tuple[Quantization, ...]
    """One per output, in the model's order."""

    output_shapes: tuple[tuple[int, ...], ...]

    runtime: str
    """Library and version that runs it, for events and reports."""

    @property
    def device(self) -> str:
        """Where the next call goes: cpu or edgetpu..."""
        ...

    def invoke(self, stored: NDArray[np.int8]) -> tuple[NDArray[np.int8], ...]:
        """Run once. The results are copies the caller owns."""
        ...


class Accelerator(Protocol):
    """What runs the nets beside the processor, or instead of it. One thread owns it."""

    fallbacks: Counter[str]
    """How often the processor took over, by reason."""

    @property
    def label(self) -> str:
        """Where the nets run, for status and reports: `cpu`, `edgetpu:usb:0`, or `cpu (edgetpu lost: ...)`."""
        ...

    @property
    def trouble(self) -> str:
        """Why the device that was asked for is not used; empty while nothing is wrong."""
        ...

    def net(self, name: str, files: Mapping[str, bytes], cpu: Interpreter) -> Interpreter:
        """Take a net: the files of its bundle, and the same net on the processor. Return what runs it."""
        ...

    def start(self, alive: Callable[[], None] = ...) -> None:
        """Load what was taken, calling `alive` once a second; InterpreterError when it must work and does not."""
        ...

    def close(self) -> None:
        """Give the device back."""
        ...


class Sink(Protocol):
    """Takes events and observations out. The life cycle is `with`; publish never blocks the frame loop for long."""

    name: str

    def __enter__(self) -> Self:
        """Open it; SinkError when it can never work."""
        ...

    def __exit__(self, *exc: object) -> None:
        """Hand over what is waiting, within a bounded time, and close."""
        ...

    def publish(self, message: Message) -> None:
        """Take one message; count what is dropped."""
        ...


class Message(Protocol):
    """What a sink takes: a payload with its schema and whether losing it matters."""

    @property
    def schema(self) -> str:
        """Name and version of the payload's form, for instance `emotion-edge.event/1`."""
        ...

    @property
    def topic(self) -> str:
        """Last level of the MQTT topic: event, observation, status, state."""
        ...

    @property
    def durable(self) -> bool:
        """True: must not be lost (events). False: the next one replaces it."""
        ...

    def to_json(self) -> bytes:
        """Encode as one line of JSON without a line break."""
        ...
