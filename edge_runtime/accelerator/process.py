"""The parent's side of the child process: start it, ask it within a time limit, end it without waiting for it."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from edge_runtime.accelerator.messages import (
    MAX_PACKET_BYTES,
    Answered,
    Failed,
    Net,
    Plan,
    Ready,
    Refused,
    Reply,
    Request,
    pack,
    unpack_reply,
)
from edge_runtime.accelerator.tensors import Tensors, tensors
from edge_runtime.errors import DelegateError

_ENDS_WITHIN_S = 0.8
"""A process that closed its link is gone after this; if not, it hangs."""

_NOT_FOR_THE_CHILD = ("NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC")
"""The service manager talks with the parent alone."""


class ChildProcess:
    """One child. It is loading, then ready, then lost; a lost one is closed and another is started."""

    def __init__(self, library: str, device: str, nets: tuple[Net, ...], memory_bytes: int) -> None:
        """Start it; this takes some milliseconds, and it loads by itself.

        Raises:
            DelegateError: the process cannot be started.
        """
        memory = os.memfd_create("tensors")
        self._link, inner = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            os.ftruncate(memory, memory_bytes)
            self._tensors: list[Tensors] = list(tensors(nets, memory, memory_bytes))
            with inner:
                self._process = _started([inner.fileno(), memory, *(net.model_fd for net in nets)])
        except OSError as error:
            self._link.close()
            raise DelegateError("failed", f"cannot start its process: {error}") from error
        finally:
            os.close(memory)
        self._poll = select.poll()
        self._poll.register(self._link, select.POLLIN)
        with suppress(OSError):  # gone already: `loaded` tells how
            self._link.send(pack(Plan(library, device, memory, memory_bytes, nets)))

    @property
    def pid(self) -> int:
        """Number of the process."""
        return self._process.pid

    def loaded(self, wait_s: float) -> Ready | None:
        """Wait for it to be ready; None when it is still loading.

        Raises:
            DelegateError: it cannot load, or is gone.
        """
        if not self._poll.poll(wait_s * 1000):
            return None
        reply = self._reply()
        if isinstance(reply, Ready):
            return reply
        raise _unexpected(reply)

    def invoke(self, net: int, stored: NDArray[np.int8], limit_s: float) -> tuple[NDArray[np.int8], ...]:
        """Run one net; the results are copies.

        Raises:
            DelegateError: it failed, is gone, or did not answer in time.
        """
        entry, outputs = self._tensors[net]
        entry[...] = stored
        try:
            self._link.send(pack(Request(net)))
        except OSError:
            raise self._death() from None
        if not self._poll.poll(limit_s * 1000):
            raise DelegateError("hung", f"no answer within {limit_s:g} s")
        reply = self._reply()
        if isinstance(reply, Answered):
            return tuple(output.copy() for output in outputs)
        raise _unexpected(reply)

    def close(self) -> None:
        """Let it end by itself: it reads the end of the link."""
        self._link.close()

    def kill(self) -> None:
        """End it; `reaped` tells when it has gone. A driver may hold it for as long as it likes."""
        self._link.close()
        self._process.kill()

    def reaped(self, wait_s: float = 0.0) -> bool:
        """Whether the process is gone."""
        try:
            self._process.wait(wait_s)
        except subprocess.TimeoutExpired:
            return False
        return True

    def _reply(self) -> Reply:
        try:
            packet = self._link.recv(MAX_PACKET_BYTES)
            return unpack_reply(packet) if packet else self._gone()
        except (OSError, msgspec.DecodeError):
            raise self._death() from None

    def _gone(self) -> Reply:
        raise self._death()

    def _death(self) -> DelegateError:
        """Tell how it ended."""
        if not self.reaped(_ENDS_WITHIN_S):
            return DelegateError("hung", "it closed its link and did not end")
        code = self._process.returncode
        if code >= 0:
            return DelegateError("exited", f"its process ended with exit code {code}")
        name = signal.Signals(-code).name
        return DelegateError("aborted" if -code == signal.SIGABRT else "killed", f"its process ended by {name}")


def _unexpected(reply: Reply) -> DelegateError:
    if isinstance(reply, Refused):
        return DelegateError(reply.reason, reply.told)
    return DelegateError("failed", reply.told if isinstance(reply, Failed) else f"unexpected answer {reply}")


def _started(descriptors: Sequence[int]) -> subprocess.Popen[bytes]:
    """Start the child with these descriptors, the link first."""
    environment = {name: value for name, value in os.environ.items() if name not in _NOT_FOR_THE_CHILD}
    # It must find the same packages, wherever this process found them, and not what lies in the working directory.
    environment["PYTHONPATH"] = os.pathsep.join(entry or str(Path.cwd()) for entry in sys.path)
    environment["PYTHONSAFEPATH"] = "1"
    command = [sys.executable, "-m", "edge_runtime.accelerator.child", str(descriptors[0]), str(os.getpid())]
    return subprocess.Popen(  # noqa: S603  this program itself
        command,
        stdin=subprocess.DEVNULL,
        stdout=2,  # what a library prints is no data
        env=environment,
        pass_fds=descriptors,
        start_new_session=True,  # Ctrl-C is the parent's to hear
    )
