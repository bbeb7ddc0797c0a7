"""What parent and child say to each other: one message a packet, tensors beside them in shared memory."""

from __future__ import annotations

from typing import Final, TypeAlias, TypeVar

import msgspec

from edge_runtime.errors import DelegateReason
from edge_runtime.quantization import Quantization

MAX_PACKET_BYTES: Final = 32 * 1024
"""A plan of a few nets is below 2 kB."""


class Region(msgspec.Struct, frozen=True, array_like=True):
    """One int8 tensor in the shared memory."""

    offset: int
    shape: tuple[int, ...]
    quantization: Quantization


class Net(msgspec.Struct, frozen=True, array_like=True):
    """One compiled net."""

    name: str
    model_fd: int
    """Sealed memory with the .tflite, whose digest the parent has checked."""
    model_bytes: int
    input: Region
    outputs: tuple[Region, ...]


class Plan(msgspec.Struct, frozen=True):
    """What the child shall load: the first message."""

    library: str
    device: str
    memory_fd: int
    memory_bytes: int
    nets: tuple[Net, ...]


class Request(msgspec.Struct, frozen=True, array_like=True):
    """Run a net: its input lies in the shared memory."""

    net: int
    """Index in the plan."""


class Ready(msgspec.Struct, frozen=True, tag=True):
    """Every net is loaded and has answered once."""

    runtime: str


class Refused(msgspec.Struct, frozen=True, tag=True):
    """The child cannot load; it ends."""

    reason: DelegateReason
    told: str


class Answered(msgspec.Struct, frozen=True, tag=True):
    """The outputs lie in the shared memory."""


class Failed(msgspec.Struct, frozen=True, tag=True):
    """The net could not be run."""

    told: str


Reply: TypeAlias = Ready | Refused | Answered | Failed
Message = TypeVar("Message")


def pack(message: msgspec.Struct) -> bytes:
    """Encode one message."""
    return msgspec.msgpack.encode(message)


def unpack_reply(packet: bytes) -> Reply:
    """Decode what the child says; msgspec.DecodeError when it is no reply."""
    found: Reply = msgspec.msgpack.decode(packet, type=Reply)
    return found


def unpack(packet: bytes, kind: type[Message]) -> Message:
    """Decode one message; msgspec.DecodeError when it is of another kind."""
    return msgspec.msgpack.decode(packet, type=kind)
