"""What the event policy needs of every processed frame, in a file: numbers with all their digits, no pixels.

One JSON object a line (emotion-edge.recording/1): a header, then frames, and a mark where the camera was lost.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO, Final

import msgspec
import numpy as np
from msgspec import Meta

from edge_runtime.audience import Reading
from edge_runtime.contract import EMOTION_LABELS, KEYPOINT_COUNT, UncertainReason
from edge_runtime.datatypes import Emotion, Face, Frame, Keypoints, Observation
from edge_runtime.errors import EdgeRuntimeError, SinkError
from edge_runtime.events import Identity
from edge_runtime.geometry import Box
from edge_runtime.interfaces import Message
from edge_runtime.payloads import ModelPayload, OutMessage, Status
from edge_runtime.policy import Thresholds

if TYPE_CHECKING:
    from typing_extensions import Self

logger = logging.getLogger(__name__)

RECORDING_SCHEMA: Final = "emotion-edge.recording/1"


class RecordingError(EdgeRuntimeError):
    """A file is no recording, or a damaged one."""


class Line(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="line"):
    """One line of the file."""


class Header(Line, frozen=True, kw_only=True, tag="header"):
    """The first line: who recorded, and with which thresholds."""

    schema: str
    """emotion-edge.recording/1."""
    device_id: str
    source: str
    live: bool
    """True: captured_at counts on the monotonic clock of the device, not from the start of a file."""
    boot_id: str
    """Of the process that recorded."""
    started_utc: float
    """Wall clock when the first frame was processed, seconds since 1970; a camera may have been waited for before."""
    clock_synced: bool
    thresholds: Thresholds
    """Those in force while it was recorded."""
    window_s: float
    """Time constant of the smoothing of scores while it was recorded."""
    model: ModelPayload

    @property
    def identity(self) -> Identity:
        """Who speaks in the events of this recording."""
        return Identity(self.device_id, self.source, self.boot_id, self.model)


class RecordedFace(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One face of one frame; every number as the pipeline had it."""

    track_id: int
    box: tuple[float, float, float, float]
    """x0, y0, x1, y1, frame pixels."""
    keypoints: Annotated[tuple[tuple[float, float], ...], Meta(min_length=KEYPOINT_COUNT, max_length=KEYPOINT_COUNT)]
    """15 times x, y in the contract's order, frame pixels."""
    scores: Annotated[tuple[float, ...], Meta(min_length=len(EMOTION_LABELS), max_length=len(EMOTION_LABELS))]
    """Smoothed calibrated shares of the five labels in the contract's order."""
    support: float
    uncertain_reason: UncertainReason | None = None
    frame_scores: tuple[float, ...] = ()
    """The shares before smoothing; absent where the face was not read in this frame and keeps its last answer."""
    frame_supports: tuple[float, ...] = ()
    """The probabilities of the five labels before smoothing."""

    def __post_init__(self) -> None:
        """Refuse a face that was read for some labels only."""
        counts = len(self.frame_scores), len(self.frame_supports)
        if counts not in {(0, 0), (len(EMOTION_LABELS), len(EMOTION_LABELS))}:
            raise ValueError(f"frame_scores and frame_supports: expected {len(EMOTION_LABELS)} each, found {counts}")


class RecordedFrame(Line, frozen=True, kw_only=True, tag="frame"):
    """All faces of one processed frame."""

    frame: int
    captured_at: float
    width: int
    height: int
    faces: tuple[RecordedFace, ...]

    def observation(self, enter: float) -> Observation:
        """Return what the pipeline would have said with another `enter`; all else is as it was."""
        faces = tuple(_face(face, enter) for face in self.faces)
        return Observation(self.frame, self.captured_at, self.width, self.height, faces)


class Interruption(Line, frozen=True, kw_only=True, tag="interruption"):
    """The camera was lost: everything that was seen has ended."""


class Recorder:
    """Looks on while frames are processed, and writes what was seen. Use it in a `with`.

    It is an audience, which sees every frame, and a sink, which hears when the camera was lost.
    """

    def __init__(self, path: Path) -> None:
        """Remember where to write."""
        self.name = "recording"
        self.frames = 0
        """Frames that were written."""
        self._path = path
        self._file: BinaryIO | None = None
        self._encoder = msgspec.json.Encoder()
        self._last: dict[int, Face] = {}
        self._header: Callable[[], Header] | None = None

    def __enter__(self) -> Self:
        """Open the file; SinkError when it cannot be written. An older recording stays until the first frame comes."""
        try:
            self._file = self._path.open("ab")
        except OSError as error:
            raise self._unwritable(error) from error
        return self

    def __exit__(self, *exc: object) -> None:
        """Close the file."""
        file, self._file = self._file, None
        if file is None:
            return
        try:
            with file:
                if self._header is not None and not file.tell():
                    file.write(self._line(self._header()))
        except OSError as error:
            raise self._unwritable(error) from error

    def begin(self, header: Callable[[], Header]) -> None:
        """Take what makes the first line: it is asked and written with the first frame, and knows the time of that."""
        self._header = header

    def publish(self, message: Message) -> None:
        """Note that the camera was lost; everything else that is sent follows from the frames."""
        status = message.payload if isinstance(message, OutMessage) else None
        if isinstance(status, Status) and status.camera == "lost" and self.frames:
            self._write(Interruption())

    def reading(self, frames: Reading) -> None:
        """A source was opened; nothing follows from it."""

    def show(self, frame: Frame, seen: Observation) -> None:
        """Write the numbers of one frame; its picture is not looked at."""
        del frame
        # A face that could not be read in this frame is the very object of an earlier one.
        faces = tuple(_recorded(face, read=self._last.get(face.track_id) is not face) for face in seen.faces)
        self._last = {face.track_id: face for face in seen.faces}
        self._write(
            RecordedFrame(
                frame=seen.frame_index, captured_at=seen.captured_at, width=seen.width, height=seen.height, faces=faces
            )
        )
        self.frames += 1

    def consents(self) -> bool:
        """A recording asks nobody."""
        return True

    def wait_for_consent(self, timeout_s: float) -> bool:
        """A recording asks nobody."""
        del timeout_s
        return True

    def _write(self, line: Line) -> None:
        if self._file is None:
            raise SinkError(f"{self._path}: the recording is not open; use it in a `with`")
        try:
            if self._header is not None:
                self._replace(self._file, self._header())
            self._file.write(self._line(line))
        except OSError as error:
            raise self._unwritable(error) from error

    def _replace(self, file: BinaryIO, header: Header) -> None:
        if file.seekable():  # a pipe holds nothing older
            file.truncate(0)
        file.write(self._line(header))
        self._header = None

    def _line(self, line: Line) -> bytes:
        return self._encoder.encode(line) + b"\n"

    def _unwritable(self, error: OSError) -> SinkError:
        return SinkError(f"{self._path}: cannot write the recording ({error.strerror}); is there room, and the right?")


class Recording(msgspec.Struct, frozen=True):
    """A whole recording in memory."""

    header: Header
    lines: tuple[RecordedFrame | Interruption, ...]

    @property
    def frames(self) -> list[RecordedFrame]:
        """Every frame in turn."""
        return [line for line in self.lines if isinstance(line, RecordedFrame)]


def load_recording(path: Path) -> Recording:
    """Read a file; a last line that a power cut tore is left out.

    Raises:
        RecordingError: the file cannot be read, is none, or is damaged; the message names the line.
    """
    lines = list(_lines(path))
    if not lines or not isinstance(lines[0], Header) or lines[0].schema != RECORDING_SCHEMA:
        raise RecordingError(
            f"{path}:1: expected the header of {RECORDING_SCHEMA}; `emotion-edge record --source ... OUT.jsonl` "
            f"makes such a file, the event log of `emotion-edge run` is none"
        )
    header, rest = lines[0], [line for line in lines[1:] if not isinstance(line, Header)]
    if len(rest) < len(lines) - 1:
        raise RecordingError(f"{path}: more than one header; replay recordings one by one")
    if not any(isinstance(line, RecordedFrame) for line in rest):
        raise RecordingError(f"{path}: the recording holds no frame; record again")
    return Recording(header, tuple(rest))


def _lines(path: Path) -> Iterator[Header | RecordedFrame | Interruption]:
    decoder = msgspec.json.Decoder(Header | RecordedFrame | Interruption)
    try:
        raw = path.read_bytes().splitlines(keepends=True)
    except OSError as error:
        raise RecordingError(f"{path}: cannot read the recording ({error.strerror}); check the path") from error
    for number, line in enumerate(raw, start=1):
        try:
            yield decoder.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:  # noqa: PERF203  a torn line is left out, the others are kept
            if 1 < number == len(raw) and not line.endswith(b"\n"):
                logger.warning("%s:%d: left out a torn line", path, number)
                return
            raise RecordingError(f"{path}:{number}: no line of {RECORDING_SCHEMA} ({error}); record again") from error


def _recorded(face: Face, *, read: bool) -> RecordedFace:
    box, emotion = face.box, face.emotion
    return RecordedFace(
        track_id=face.track_id,
        box=(float(box.x0), float(box.y0), float(box.x1), float(box.y1)),
        keypoints=tuple((float(x), float(y)) for x, y in face.keypoints.points),
        scores=emotion.scores,
        support=emotion.support,
        uncertain_reason=emotion.uncertain_reason,
        frame_scores=emotion.frame_scores if read else (),
        frame_supports=emotion.frame_supports if read else (),
    )


def _face(face: RecordedFace, enter: float) -> Face:
    reason = face.uncertain_reason
    if reason in {None, "low_confidence"}:  # the one reason that a threshold of the policy decides
        reason = "low_confidence" if face.support < enter else None
    points = Keypoints(np.array(face.keypoints, np.float32))
    return Face(face.track_id, Box(*face.box), points, Emotion(face.scores, face.support, reason))
