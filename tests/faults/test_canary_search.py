"""The search for pixels finds them in every form in which they might leave, and nowhere else."""

from __future__ import annotations

import base64
import gzip
import io
import json
import zlib
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.canary.pattern import tiles
from tests.canary.search import Searcher
from tests.samples import messages

TILE = tiles()[0]
SEARCHER = Searcher(tiles())


def npy(picture: NDArray[np.uint8]) -> bytes:
    target = io.BytesIO()
    np.save(target, picture)
    return target.getvalue()


def encoded(suffix: str) -> bytes:
    return bytes(cv2.imencode(suffix, TILE)[1].tobytes())


PLANTED: dict[str, Callable[[], bytes]] = {
    "raw": TILE[3, 5:21].tobytes,
    "raw of the nets": lambda: (TILE[3].astype(np.int16) - 128).astype(np.int8).tobytes(),
    "base64": lambda: base64.b64encode(b"x" + TILE.tobytes()),
    "base64 in lines": lambda: base64.encodebytes(TILE.tobytes()),
    "base64 of addresses": lambda: base64.urlsafe_b64encode(TILE.tobytes()),
    "hex": lambda: TILE.tobytes().hex().encode(),
    "hex with spaces": lambda: TILE.tobytes().hex(" ").encode(),
    "decimal numbers": lambda: json.dumps(TILE.tolist()).encode(),
    "decimal numbers of numpy": lambda: str(TILE[0]).encode(),
    "escaped": lambda: repr(TILE.tobytes()).encode(),
    "float32": (TILE.astype(np.float32) / 255.0).tobytes,
    "packed": lambda: gzip.compress(TILE.tobytes()),
    "packed raw": lambda: zlib.compress(TILE.tobytes()),
    "JPEG": lambda: encoded(".jpg"),
    "PNG": lambda: encoded(".png"),
    "WebP": lambda: encoded(".webp"),
    "npy": lambda: npy(TILE),
}


@pytest.mark.parametrize("form", PLANTED)
def test_planted_pixels_are_found(form: str) -> None:
    planted = PLANTED[form]()

    for before in (b"", b"INFO edge_runtime: frame ", b"\x00\x01\x02"):
        found = SEARCHER.find(before + planted + b"\nand more\n")
        assert any(form.split(" ", maxsplit=1)[0] in name for name in found), before


def test_what_the_program_writes_by_right_is_no_pixel() -> None:
    data = b"\n".join(message.to_json() for message in messages())

    assert SEARCHER.find(data) == []


def test_noise_of_another_kind_is_not_found() -> None:
    data = np.random.default_rng(5).integers(0, 256, 100_000, dtype=np.uint8).tobytes()

    assert "raw" not in SEARCHER.find(data)


def test_a_window_of_one_grey_tells_nothing() -> None:
    plain = np.full((4, 32), 128, np.uint8)

    assert len(Searcher([plain])) == 0
