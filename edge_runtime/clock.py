"""The only place that reads the wall clock or draws identities."""

from __future__ import annotations

import os
import time
import uuid
from pathlib import Path

_TIMEX_FLAG = Path("/run/systemd/timesync/synchronized")


class SystemClock:
    """The clocks of this machine."""

    def monotonic(self) -> float:
        """Seconds that never step."""
        return time.monotonic()

    def utc(self) -> float:
        """Seconds since 1970."""
        return time.time()

    def synchronized(self) -> bool:
        """Whether systemd-timesyncd has set the clock, or the kernel says that something else keeps it right.

        The service's unit (ProtectClock) refuses that question to the kernel, unless its drop-in chrony.conf is there:
        without it timesyncd alone counts.
        """
        return _TIMEX_FLAG.exists() or _kernel_says_synchronized()

    def uuid4(self) -> str:
        """Return a random UUID."""
        return str(uuid.uuid4())

    def uuid7(self) -> str:
        """Return a UUID that sorts by time."""
        return uuid7_from(int(self.utc() * 1000), os.urandom(10))


def uuid7_from(unix_ms: int, random: bytes) -> str:
    """Lay out a version 7 UUID: 48 bits of milliseconds, then 74 random bits.

    Source: RFC 9562, section 5.7.

    Args:
        unix_ms: milliseconds since 1970.
        random: 10 bytes.
    """
    raw = bytearray(unix_ms.to_bytes(6, "big") + random)
    raw[6] = (raw[6] & 0x0F) | 0x70
    raw[8] = (raw[8] & 0x3F) | 0x80
    return str(uuid.UUID(bytes=bytes(raw)))


def _kernel_says_synchronized() -> bool:
    """Ask adjtimex(2) through the C library; False where it cannot be asked."""
    import ctypes

    time_error = 5  # TIME_ERROR: the kernel's own word for an unsynchronized clock
    buffer = ctypes.create_string_buffer(512)  # larger than struct timex; modes = 0 only reads
    try:
        state = ctypes.CDLL(None, use_errno=True).adjtimex(buffer)
    except (OSError, AttributeError):
        return False
    return bool(0 <= state < time_error)
