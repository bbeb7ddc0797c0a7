"""Between the frame loop and the browsers: the newest frame and no other, encoded once and only when somebody looks."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from edge_runtime._version import __version__
from edge_runtime.audience import Reading
from edge_runtime.datatypes import Frame, Observation
from edge_runtime.histogram import Histogram
from edge_runtime.interfaces import Clock, Message, Sink
from edge_runtime.payloads import State, Status
from edge_runtime.settings import Web
from edge_runtime.web.consent import ConsentGate
from edge_runtime.web.messages import Condition, Hello, Moment, seen_message
from edge_runtime.web.notice import Notice
from edge_runtime.web.tally import Tally

if TYPE_CHECKING:
    from typing_extensions import Self

TIMELINE_S: Final = 300.0
_MOMENTS: Final = 600
_FPS_FRAMES: Final = 30


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """One processed frame on its way to the browsers."""

    number: int
    """Counts up from 1."""
    pixels: NDArray[np.uint8] | None
    """(height, width) grey; None where no picture may be shown."""
    seen: Observation | None
    fps: float
    latency_s: float


class _Encoded:
    """The newest frame in one form, made by whichever client's thread comes first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._number, self._data = 0, b""

    def of(self, number: int) -> tuple[int, bytes] | None:
        return (self._number, self._data) if self._number >= number else None

    @contextmanager
    def alone(self) -> Iterator[None]:
        with self._lock:
            yield

    def keep(self, number: int, data: bytes) -> tuple[int, bytes]:
        self._number, self._data = number, data
        return number, data


class Display:
    """An Audience to the frame loop, a Sink for status and events, the newest of everything to the server's threads."""

    def __init__(
        self,
        settings: Web,
        notice: Notice,
        *,
        clock: Clock,
        processing: Histogram,
        sinks: Sequence[Sink],
        live: bool,
    ) -> None:
        """Begin with nothing to show.

        Args:
            settings: what may be shown, and how.
            notice: what people are told first.
            clock: for rates and latencies.
            processing: how long frames take; the latency where frames have no time of their own.
            sinks: asked whether the broker is connected.
            live: frames carry `clock`'s time.
        """
        self.name = "page"
        self.gate = ConsentGate(settings)
        self.tally = Tally()
        self.sinks = sinks
        self.status: Status | None = None
        """The newest one."""
        self._settings, self._notice, self._clock, self._live = settings, notice, clock, live
        self._processing = processing
        self._times: deque[float] = deque(maxlen=_FPS_FRAMES)
        self._timeline: deque[tuple[float, str | None]] = deque(maxlen=_MOMENTS)
        self._changed = threading.Condition()
        self._lookers = 0
        self._shown = Shown(0, None, None, 0.0, 0.0)
        self._jpeg, self._json = _Encoded(), _Encoded()

    def __enter__(self) -> Self:
        """Nothing is opened."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Nothing is held."""

    def publish(self, message: Message) -> None:
        """Remember the status and the answers; count events."""
        payload = getattr(message, "payload", None)
        self.tally.message(message, payload)
        if isinstance(payload, Status):
            self.status = payload
            if payload.camera != "running":
                self._remember(None)
                with self._changed:
                    self._forget()
        elif isinstance(payload, State):
            self._remember(payload.emotion)

    def reading(self, frames: Reading) -> None:
        """Count what a source drops."""
        self.tally.reading(frames)

    def show(self, frame: Frame, seen: Observation) -> None:
        """Take the newest frame; when nobody looks it is counted and not kept."""
        now = self._clock.monotonic()
        latency_s = now - frame.captured_at if self._live else self._processing.last
        self._times.append(now)
        self.tally.frame(seen, latency_s)
        self.gate.saw(len(seen.faces), now)
        if not self._lookers:
            return
        pixels = frame.pixels if self._settings.picture else None
        with self._changed:
            self._shown = Shown(self._shown.number + 1, pixels, seen, self.fps, latency_s)
            self._changed.notify_all()

    def consents(self) -> bool:
        """Whether frames may be processed."""
        return self.gate.is_open

    def wait_for_consent(self, timeout_s: float) -> bool:
        """Wait for somebody to agree."""
        return self.gate.wait(timeout_s)

    @property
    def fps(self) -> float:
        """Frames a second over the newest ones; 0 when none came lately."""
        times = tuple(self._times)
        now = self._clock.monotonic()
        if len(times) < 2 or now - times[-1] > 2.0 or times[-1] <= times[0]:
            return 0.0
        return (len(times) - 1) / (times[-1] - times[0])

    @contextmanager
    def looking(self) -> Iterator[None]:
        """Be counted as somebody who looks; when the last one leaves, the last frame is forgotten."""
        with self._changed:
            self._lookers += 1
        try:
            yield
        finally:
            with self._changed:
                self._lookers -= 1
                if not self._lookers:
                    self._forget()

    def wake(self) -> None:
        """End every wait."""
        with self._changed:
            self._changed.notify_all()

    def picture(self, after: int, timeout_s: float) -> tuple[int, bytes] | None:
        """Wait for a frame newer than number `after`: its number and its JPEG, or None when the time is over."""
        jpeg = self._jpeg  # taken first: what is encoded while it is forgotten is kept nowhere
        shown = self._newer(after, timeout_s)
        if shown is None or shown.pixels is None:
            return None
        with jpeg.alone():
            return jpeg.of(shown.number) or jpeg.keep(shown.number, self._encode(shown.pixels))

    def update(self, after: int, timeout_s: float) -> tuple[int, bytes] | None:
        """Wait for a frame newer than number `after`: its number and its JSON, or None when the time is over."""
        encoded = self._json
        shown = self._newer(after, timeout_s)
        if shown is None or shown.seen is None:
            return None
        with encoded.alone():
            known = encoded.of(shown.number)
            if known:
                return known
            message = seen_message(shown.seen, fps=shown.fps, latency_s=shown.latency_s)
            return encoded.keep(shown.number, msgspec.json.encode(message))

    def hello(self) -> bytes:
        """Encode what a page needs to know first."""
        now = self._clock.monotonic()
        moments = tuple(self._timeline)
        ends = [at for at, _ in moments[1:]] + [now]
        recent = [moment for moment, end in zip(moments, ends, strict=bool(moments)) if now - end <= TIMELINE_S]
        hello = Hello(
            version=__version__,
            picture=self._settings.picture,
            mirror=self._settings.mirror,
            kiosk=self._settings.kiosk,
            consent_needed=self.gate.needed,
            notice=self._notice,
            timeline=tuple(Moment(round(now - at, 2), label) for at, label in recent),
        )
        return msgspec.json.encode(hello)

    def condition(self, *, stalled: bool) -> bytes:
        """Encode how the device is."""
        status = self.status
        broker = next((sink for sink in self.sinks if sink.name == "mqtt"), None)
        connected = bool(getattr(broker, "connected", False))
        condition = Condition(
            device_id=status.device_id if status else "",
            state="stalled" if stalled else status.state if status else "starting",
            reasons=status.reasons if status else (),
            camera=status.camera if status else "connecting",
            broker="off" if broker is None else "connected" if connected else "away",
            broker_problem=getattr(broker, "problem", None),
            accelerator=status.accelerator if status else "",
            models=status.models if status else {},
            consent=self.gate.is_open,
        )
        return msgspec.json.encode(condition)

    def _newer(self, after: int, timeout_s: float) -> Shown | None:
        with self._changed:
            # A frame that is forgotten keeps its number: whoever comes now waits for the next one.
            if self._shown.number <= after or self._shown.seen is None:
                self._changed.wait(timeout_s)
            return self._shown if self._shown.number > after else None

    def _forget(self) -> None:
        """Let the last frame go; the caller holds the lock."""
        self._shown = Shown(self._shown.number, None, None, 0.0, 0.0)
        self._jpeg, self._json = _Encoded(), _Encoded()

    def _remember(self, label: str | None) -> None:
        if not self._timeline or self._timeline[-1][1] != label:
            self._timeline.append((self._clock.monotonic(), label))

    def _encode(self, pixels: NDArray[np.uint8]) -> bytes:
        scale = self._settings.picture_width_px / pixels.shape[1]
        if scale < 1:
            pixels = np.asarray(cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
        done, jpeg = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, self._settings.jpeg_quality])
        assert done  # noqa: S101  a grey picture with pixels can always be encoded
        return jpeg.tobytes()
