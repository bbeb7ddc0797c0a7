"""Finds pixels in bytes: as they are, as the nets are fed them, as text, packed, or inside a picture file."""

from __future__ import annotations

import base64
import binascii
import codecs
import contextlib
import gzip
import re
import zlib
from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

WINDOW: Final = 16
"""So many bytes in a row of pixels are enough to give it away."""

LEAST_VALUES: Final = 10
"""Windows with fewer different values (a plain wall) would be found anywhere."""

MAGIC: Final = {
    "JPEG": re.compile(rb"\xff\xd8\xff[\xc0-\xfe]"),
    "PNG": re.compile(rb"\x89PNG\r\n\x1a\n"),
    "WebP": re.compile(rb"RIFF.{4}WEBP", re.DOTALL),
    "GIF": re.compile(rb"GIF8[79]a"),
    "TIFF": re.compile(rb"II\*\x00.{4}|MM\x00\*.{4}", re.DOTALL),
    "AVI": re.compile(rb"RIFF.{4}AVI ", re.DOTALL),
    "MP4": re.compile(rb"ftyp(?:isom|mp4[12]|avc1|iso[2-6])"),
    "npy": re.compile(rb"\x93NUMPY"),
}
_BASE64 = re.compile(rb"[A-Za-z0-9+/\-_]{24,}")
_HEX = re.compile(rb"(?:[0-9A-Fa-f]{2}[ :,]?){16,}")
_DECIMALS = re.compile(rb"\d{1,3}(?:[,;\s\[\]]+\d{1,3}){15,}")
_ESCAPED = re.compile(rb"[ -~]{16,}")
_PACKED = re.compile(rb"\x1f\x8b\x08|\x78[\x01\x5e\x9c\xda]")
_UNPACKED_LIMIT = 8 * 1024 * 1024


class Searcher:
    """Knows the rows of some pictures."""

    def __init__(self, pictures: Iterable[NDArray[np.uint8]]) -> None:
        """Take every window of every row; the nets' int8 inputs are the same bytes with the highest bit turned."""
        self._windows: set[bytes] = set()
        for picture in pictures:
            for row in picture:
                for stored in (row, row ^ np.uint8(0x80)):
                    self._windows.update(_telling_windows(stored.tobytes()))
        heads = np.frombuffer(b"".join(sorted(window[:8] for window in self._windows)), np.uint64)
        self._heads = np.unique(heads)

    def __len__(self) -> int:
        """Count the windows."""
        return len(self._windows)

    def find(self, data: bytes) -> list[str]:
        """Name every form in which pixels, or a file of pictures or arrays, stand in the data; empty = none."""
        found = {name for name, magic in MAGIC.items() if magic.search(data)}
        found |= {form for form, plain in _readings(data) if self._holds(plain)}
        for unpacked in _unpacked(data):
            found |= {f"packed {form}" for form, plain in _readings(unpacked) if self._holds(plain)}
            found |= {f"packed {name}" for name, magic in MAGIC.items() if magic.search(unpacked)}
        return sorted(found)

    def _holds(self, data: bytes) -> bool:
        for offset in range(min(8, max(0, len(data) - WINDOW + 1))):
            heads = np.frombuffer(data, np.uint64, (len(data) - offset) // 8, offset)
            nearest = np.minimum(np.searchsorted(self._heads, heads), len(self._heads) - 1)
            for place in np.flatnonzero(self._heads[nearest] == heads):
                at = offset + 8 * int(place)
                if data[at : at + WINDOW] in self._windows:
                    return True
        return False


def _telling_windows(row: bytes) -> Iterator[bytes]:
    for start in range(len(row) - WINDOW + 1):
        window = row[start : start + WINDOW]
        if len(set(window)) >= LEAST_VALUES:
            yield window


def _readings(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Read the data in every way in which a program might have written bytes."""
    yield "raw", data
    yield "base64", b" ".join(_from_base64(data))
    yield "hex", b" ".join(_from_hex(data))
    yield "decimal numbers", b" ".join(_from_decimals(data))
    yield "escaped", b" ".join(_from_escapes(data))
    yield from _floats(data)


def _with_and_without_lines(data: bytes) -> set[bytes]:
    return {data, re.sub(rb"[\r\n]+", b"", data)}


def _from_base64(data: bytes) -> Iterator[bytes]:
    for text in _with_and_without_lines(data):
        for run in _BASE64.findall(text):
            standard = run.translate(bytes.maketrans(b"-_", b"+/"))
            for offset in range(4):
                yield base64.b64decode(standard[offset : offset + (len(standard) - offset) // 4 * 4])


def _from_hex(data: bytes) -> Iterator[bytes]:
    for text in _with_and_without_lines(data):
        for run in _HEX.findall(text):
            digits = re.sub(rb"[ :,]", b"", run)
            for offset in range(2):
                yield binascii.unhexlify(digits[offset : offset + (len(digits) - offset) // 2 * 2])


def _from_decimals(data: bytes) -> Iterator[bytes]:
    for run in _DECIMALS.findall(data):
        yield bytes(min(int(number), 255) for number in re.findall(rb"\d+", run))


def _from_escapes(data: bytes) -> Iterator[bytes]:
    """What repr() makes of bytes."""
    for run in _ESCAPED.findall(data):
        if b"\\x" in run:
            # Cut at the first escape: what stands before it may end in a lone backslash.
            with contextlib.suppress(ValueError):
                yield codecs.escape_decode(run[run.index(b"\\x") :])[0]


def _floats(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Pixels over 255 as float32, at any of four alignments."""
    for offset in range(min(4, len(data))):
        values = np.frombuffer(data, "<f4", max(0, len(data) - offset) // 4, offset)
        with np.errstate(all="ignore"):
            levels = values * np.float32(255.0)
            near = np.abs(levels - np.rint(levels)) < 1e-3
            fit = near & (levels >= 0) & (levels <= 255)
            yield "float32", np.where(fit, np.rint(levels), 0).astype(np.uint8).tobytes()


def _unpacked(data: bytes) -> Iterator[bytes]:
    for start in (match.start() for match in _PACKED.finditer(data)):
        with contextlib.suppress(zlib.error, EOFError, gzip.BadGzipFile):
            plain = zlib.decompressobj(zlib.MAX_WBITS | 32).decompress(data[start:], _UNPACKED_LIMIT)
            if len(plain) >= WINDOW:
                yield plain
