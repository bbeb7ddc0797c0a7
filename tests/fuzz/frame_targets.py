"""What a camera, a file or a network camera may hand over: frames of any size and content, damaged pictures, clips."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np

from edge_runtime.clock import SystemClock
from edge_runtime.config import load_config
from edge_runtime.datatypes import Frame
from edge_runtime.errors import EdgeRuntimeError
from edge_runtime.sources.pictures import PictureFolder
from edge_runtime.sources.stream import NetworkStream
from edge_runtime.sources.video import VideoFile
from edge_runtime.wiring import Pipeline
from tests.fuzz.target import Target

FRAME_HEADER: Final = struct.Struct("<HHdB")
"""Width, height, captured_at, how the pixels follow: 0 repeated, else each byte is a block of so many pixels."""

LARGEST: Final = 4_000_000
"""Pixels; more than any camera we know of delivers in grey."""

_PICTURE = (b"\xff\xd8\xff", b"\xff\xc0", b"\xff\xda", b"\xff\xd9", b"\x89PNG\r\n\x1a\n", b"IHDR", b"IDAT", b"\xff\xff")


@cache
def _pipeline() -> Pipeline:
    return Pipeline.from_config(load_config(overrides={"detector.every_n_frames": 1}))


def _frame(data: bytes, folder: Path) -> None:
    """Two frames of the same size in turn: one that may start a track, one that follows it."""
    del folder
    if len(data) < FRAME_HEADER.size:
        return
    width, height, at, block = FRAME_HEADER.unpack_from(data)
    height = min(height, LARGEST // max(width, 1))
    body = np.frombuffer(data[FRAME_HEADER.size :] or b"\x80", np.uint8)
    if block:
        body = np.repeat(body, block)
    pixels = np.resize(body, (height, width))
    _pipeline().forget_faces()
    _pipeline().process(Frame(0, at, pixels))
    _pipeline().process(Frame(0, at + 0.04, np.ascontiguousarray(pixels[::-1])))


def _picture(data: bytes, folder: Path) -> None:
    (folder / "0.jpg").write_bytes(data)
    with PictureFolder(folder / "0.jpg", fps=25.0) as source:
        for frame in source.frames():
            assert frame.pixels.size


def _clip(data: bytes, folder: Path) -> None:
    path = folder / "clip.avi"
    path.write_bytes(data)
    with VideoFile(path) as source:
        for frame, _ in zip(source.frames(), range(20), strict=False):
            assert frame.pixels.size


def _stream(data: bytes, folder: Path) -> None:
    """Serve the bytes as what a network camera sends, once."""
    del folder
    with socket.create_server(("127.0.0.1", 0)) as listener:
        camera = threading.Thread(target=_serve_once, args=(listener, data), daemon=True)
        camera.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        with NetworkStream(url, timeout_s=2.0, clock=SystemClock()) as source:
            for frame in source.frames():
                assert frame.pixels.size
        camera.join(LONGEST_SERVICE_S)


LONGEST_SERVICE_S: Final = 5.0


def _serve_once(listener: socket.socket, data: bytes) -> None:
    with contextlib.suppress(OSError):
        listener.settimeout(LONGEST_SERVICE_S)
        camera, _ = listener.accept()
        with camera:
            camera.settimeout(LONGEST_SERVICE_S)
            camera.recv(4096)
            camera.sendall(b"HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=b\r\n\r\n" + data)


FRAME_TARGETS = (
    Target("frame", _frame, EdgeRuntimeError, "frame 0", (b"\x00\x00", b"\xff\xff", b"\x01\x00"), examples=12),
    Target("picture", _picture, EdgeRuntimeError, "0.jpg", _PICTURE, examples=12),
    Target("clip", _clip, EdgeRuntimeError, "clip.avi", (*_PICTURE, b"RIFF", b"LIST", b"movi", b"00dc"), examples=30),
    Target("stream", _stream, EdgeRuntimeError, "http://127.0.0.1", (*_PICTURE, b"--b\r\n", b"\r\n\r\n"), examples=8),
)
