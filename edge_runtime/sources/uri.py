"""What a `--source` value means; pure text and file names, nothing is opened."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from edge_runtime.errors import SourceError

SourceKind = Literal["video", "pictures", "stream", "camera", "picamera", "demo"]

ACCEPTED: Final = (
    "a video file, a picture or a folder of pictures, an rtsp:// or http(s):// address, "
    "camera[:N], picamera[:N], or demo"
)
PICTURE_SUFFIXES: Final = frozenset((".bmp", ".jpeg", ".jpg", ".pgm", ".png", ".tif", ".tiff", ".webp"))
STREAM_SCHEMES: Final = frozenset(("http", "https", "rtsp", "rtsps"))

_NUMBERED = re.compile(r"(camera|picamera)(?::(\d{1,3}))?")
_DEVICE = re.compile(r"/dev/video(\d{1,3})")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")


@dataclass(frozen=True, slots=True)
class SourceUri:
    """One `--source` value, understood."""

    kind: SourceKind

    number: int = 0
    """Which camera, from 0; 0 for everything else."""

    location: str = field(default="", repr=False)
    """Path or address; an address may hold a password, so it is not shown."""


def parse_source(text: str) -> SourceUri:
    """Understand a path, an address, `camera[:N]`, `picamera[:N]` or `demo`.

    A file that has one of these names is meant with `./` before it. /dev/videoN and links to it are cameras.

    Raises:
        SourceError: nothing of the kind; the message lists what is accepted.
    """
    if text == "demo":
        return SourceUri("demo")
    if match := _NUMBERED.fullmatch(text):
        return SourceUri("camera" if match[1] == "camera" else "picamera", number=int(match[2] or 0))
    if match := _SCHEME.match(text):
        return _address(text, match[1].lower())
    return _path(text)


def known_source(text: str) -> SourceUri | None:
    """Understand the same; None where parse_source raises, which says so where the source is opened."""
    try:
        return parse_source(text)
    except SourceError:
        return None


def _address(text: str, scheme: str) -> SourceUri:
    if scheme not in STREAM_SCHEMES:  # the address itself stays out of the message: it may hold a password
        raise SourceError(f"source: addresses of the form {scheme}:// cannot be read; expected {ACCEPTED}")
    return SourceUri("stream", location=text)


def _path(text: str) -> SourceUri:
    path = Path(text)
    try:
        device = _DEVICE.fullmatch(str(path.resolve()))
        is_folder, is_file, exists = path.is_dir(), path.is_file(), path.exists()
    except (OSError, ValueError) as error:  # a folder that may not be entered, a name too long or with a NUL
        raise SourceError(f"source {_shown(text):.80}: {error.args[-1]}; expected {ACCEPTED}") from error
    if device:
        return SourceUri("camera", number=int(device[1]))
    if text and (is_folder or (is_file and path.suffix.lower() in PICTURE_SUFFIXES)):  # Path("") is this folder
        return SourceUri("pictures", location=text)
    if is_file:
        return SourceUri("video", location=text)
    problem = "neither a file nor a folder" if text and exists else "no such file"
    raise SourceError(f"source {_shown(text)}: {problem}; expected {ACCEPTED}")


def _shown(text: str) -> str:
    """Repeat a name of a file, but no address with a slip of the pen in it: it may hold a password."""
    return "(an address, not repeated)" if "@" in text or "://" in text else repr(text)
