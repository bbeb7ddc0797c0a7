"""Reads one request with an end to it: so many bytes and so many seconds, however slowly they come."""

from __future__ import annotations

import io
import socket
import time
from http.client import LineTooLong
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from typing_extensions import Buffer

LONGEST_REQUEST_BYTES: Final = 98_304
"""Of head and body together: more than the longest first line that http.server takes, and no browser sends more. It
alone would take a hundred headers of 64 KB from anybody, and every connection could hold them in memory."""


class RequestReader(io.RawIOBase):
    """The raw side of a BufferedReader. A socket's own time-out begins anew with every byte."""

    def __init__(self, connection: socket.socket, *, patience_s: float) -> None:
        """Read from a connection for `patience_s` from now on; what is written to it has the time-out that is set."""
        self._connection = connection
        self._left_bytes = LONGEST_REQUEST_BYTES
        self._give_up_at = time.monotonic() + patience_s

    def readable(self) -> bool:
        """Say yes: nothing else can be done with it."""
        return True

    def readinto(self, buffer: Buffer) -> int:
        """Take what has come.

        Raises:
            TimeoutError: the time for the whole request is over.
            LineTooLong: the request is longer than any; http.server answers this with 431.
        """
        left_s = self._give_up_at - time.monotonic()
        if left_s <= 0:
            raise TimeoutError("the request took too long")
        if not self._left_bytes:
            raise LineTooLong("request")
        of_answers = self._connection.gettimeout()
        self._connection.settimeout(left_s)
        try:
            count = self._connection.recv_into(memoryview(buffer)[: self._left_bytes])
        finally:
            self._connection.settimeout(of_answers)
        self._left_bytes -= count
        return count
