"""The child process: loads the Edge TPU's library and runs nets for its parent, until that goes or it is aborted.

It is started by process.py with the descriptor of its end of the link, and the number of its parent.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import socket
import sys
from contextlib import suppress

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
    unpack,
)
from edge_runtime.accelerator.tensors import Tensors, tensors
from edge_runtime.errors import DelegateError, EdgeRuntimeError, InterpreterError
from edge_runtime.interpreter import TfliteInterpreter, open_delegated

_PR_SET_PDEATHSIG = 1
_MAX_TOLD = 2000  # a packet has a bound


class Child:
    """Holds the interpreters of all nets and the memory they read from and write to."""

    def __init__(self, plan: Plan) -> None:
        """Load every net and run it once: the first run may be the one that fails, and it is the slowest.

        Raises:
            DelegateError: the library, the device or a net cannot be used.
            InterpreterError: the first run failed.
        """
        self._tensors: list[Tensors] = list(tensors(plan.nets, plan.memory_fd, plan.memory_bytes))
        self._interpreters = [_opened(net, plan) for net in plan.nets]
        for index in range(len(plan.nets)):
            self._run(index)

    @property
    def runtime(self) -> str:
        """Library that runs the interpreters."""
        return self._interpreters[0].runtime

    def answer(self, request: Request) -> Reply:
        """Run one net."""
        try:
            self._run(request.net)
        except InterpreterError as error:
            return Failed(str(error)[:_MAX_TOLD])
        return Answered()

    def _run(self, index: int) -> None:
        entry, outputs = self._tensors[index]
        for place, output in zip(outputs, self._interpreters[index].invoke(entry), strict=True):
            place[...] = output


def _opened(net: Net, plan: Plan) -> TfliteInterpreter:
    model = os.pread(net.model_fd, net.model_bytes, 0)
    interpreter = open_delegated(model, library=plan.library, device=plan.device)
    found = (
        (interpreter.input_shape, interpreter.input_quantization),
        *zip(interpreter.output_shapes, interpreter.output_quantizations, strict=True),
    )
    expected = tuple((region.shape, region.quantization) for region in (net.input, *net.outputs))
    if found != expected:
        raise DelegateError("mismatch", f"{net.name}: model_edgetpu.tflite has tensors {found}, expected {expected}")
    return interpreter


def serve(link: socket.socket) -> int:
    """Load what the parent asks for, then answer until it closes the link."""
    plan = unpack(link.recv(MAX_PACKET_BYTES), Plan)
    try:
        child = Child(plan)
    except DelegateError as error:
        return _refuse(link, Refused(error.reason, error.told[:_MAX_TOLD]))
    except EdgeRuntimeError as error:
        return _refuse(link, Refused("refused", str(error)[:_MAX_TOLD]))
    link.send(pack(Ready(child.runtime)))
    while packet := link.recv(MAX_PACKET_BYTES):
        link.send(pack(child.answer(unpack(packet, Request))))
    return 0


def _refuse(link: socket.socket, refusal: Refused) -> int:
    link.send(pack(refusal))
    return 1


def _detach(parent: int) -> bool:
    """End with the parent and not before it; False when it is gone already."""
    # The service manager tells every process of the unit to stop; the parent may still have frames to answer.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    # A core file would hold the crop that was in memory. Where a sandbox forbids this call, it sets the limit itself.
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    return os.getppid() == parent


def main() -> int:
    """Serve the parent that the arguments name."""
    descriptor, parent = map(int, sys.argv[1:])
    # The runtime's Delegate trips in its own __del__ when a library cannot be loaded; the parent is told what happened.
    sys.unraisablehook = lambda _unraisable: None
    if not _detach(parent):
        return 1
    with socket.socket(fileno=descriptor) as link:
        try:
            return serve(link)
        except (BrokenPipeError, ConnectionResetError):
            return 0  # the parent went


if __name__ == "__main__":
    sys.exit(main())
