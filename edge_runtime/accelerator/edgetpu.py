"""The Edge TPU: runs every compiled net in one child process, and the processor when that is lost."""

from __future__ import annotations

import fcntl
import logging
import os
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from edge_runtime.accelerator.messages import Net, Ready
from edge_runtime.accelerator.process import ChildProcess
from edge_runtime.accelerator.tensors import Layout
from edge_runtime.bundle import COMPILED_MARK, EDGETPU_FILE
from edge_runtime.errors import DelegateError
from edge_runtime.interfaces import Clock, Interpreter
from edge_runtime.interpreter import require_input

if TYPE_CHECKING:
    from typing_extensions import Self

logger = logging.getLogger(__name__)

_LASTING: Final = {"library_missing", "not_compiled", "refused", "mismatch"}
"""Reasons that only a new installation removes: another try finds the same."""

_TURN_S: Final = 1.0

_SEALS = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE


@dataclass(frozen=True)
class Limits:
    """How long the Edge TPU may take, seconds."""

    call_s: float = 1.0
    """An answer that takes longer never comes. A slow one, over USB 2, takes 10 ms."""
    load_s: float = 20.0
    """The stick loads its firmware and comes back under another name when it is used first."""
    patience_s: float = 10.0
    """A start waits so long; then frames go to the processor until loading has ended."""
    retry_s: float = 5.0
    """First pause before a lost device is tried again; doubles up to retry_max_s."""
    retry_max_s: float = 300.0
    steady_s: float = 60.0
    """A device that held for so long begins with the first pause again."""

    @classmethod
    def waiting(cls, patience_s: float) -> Self:
        """Take everything but the patience as it is."""
        return cls(patience_s=patience_s, load_s=max(patience_s, cls.load_s))


class EdgeTpu:
    """One device, one child process, any number of nets. One thread owns it.

    Nothing here blocks a frame for longer than `call_s`: a child is started between two calls (some milliseconds) and
    loads by itself, and every call looks in passing whether it is ready.
    """

    def __init__(self, device: str, library: str, *, clock: Clock, strict: bool = False, limits: Limits) -> None:
        """Hold what is to be loaded; `start` loads it.

        Args:
            device: `edgetpu`, `edgetpu:usb:N` or `edgetpu:pci:N`.
            library: of the delegate.
            clock: for pauses between tries.
            strict: raise DelegateError instead of going on on the processor, so that nobody measures the wrong device.
            limits: times.
        """
        self.device = device
        self.fallbacks: Counter[str] = Counter()
        """How often the processor took over, by reason."""
        self._library, self._clock, self._strict, self._limits = library, clock, strict, limits
        self._layout, self._nets, self._memories = Layout(), list[Net](), list[int]()
        self._child: ChildProcess | None = None
        self._is_ready = False
        self._ending: list[ChildProcess] = []
        self._on_cpu: list[str] = []
        self._trouble = ""
        self._pause_s = limits.retry_s
        self._at = 0.0
        """Ready: since when. Loading: until when. Else when to try again."""

    @property
    def label(self) -> str:
        """What status and reports say: the device, or `cpu` and why."""
        if not self._is_ready:
            return f"cpu ({self._trouble})"
        return f"{self.device} (cpu: {', '.join(self._on_cpu)})" if self._on_cpu else self.device

    @property
    def trouble(self) -> str:
        """Why the device that was asked for is not used; empty while it is."""
        return self._trouble

    @property
    def is_ready(self) -> bool:
        """Whether the next call goes to the device."""
        return self._is_ready

    @property
    def child_pid(self) -> int | None:
        """Number of the child process, None when there is none."""
        return self._child.pid if self._child else None

    def net(self, name: str, files: Mapping[str, bytes], cpu: Interpreter) -> Interpreter:
        """Take a net of a bundle.

        Args:
            name: for messages.
            files: of the bundle, digests checked.
            cpu: the same net on the processor, which answers when the device does not.

        Returns:
            What runs it: `cpu` itself when the bundle holds no net that was compiled for the device.

        Raises:
            DelegateError: strict, and there is no compiled net.
        """
        compiled = files.get(EDGETPU_FILE)
        if compiled is None or COMPILED_MARK not in compiled:
            found = f"no {EDGETPU_FILE} in its bundle" if compiled is None else f"its {EDGETPU_FILE} is not compiled"
            self._on_cpu.append(name)
            self._fall_back(DelegateError("not_compiled", f"{name}: {found}; see `emotion-convert edgetpu`"))
            return cpu
        self._memories.append(_sealed(name, compiled))
        self._nets.append(self._layout.net(name, self._memories[-1], len(compiled), cpu))
        return EdgeTpuInterpreter(self, len(self._nets) - 1, cpu)

    def start(self, alive: Callable[[], None] = lambda: None) -> None:
        """Load the nets; returns when they are ready, have failed, or take longer than `patience_s`.

        Args:
            alive: called at least once a second, for a watchdog.

        Raises:
            DelegateError: strict, and the device cannot be used.
        """
        if not self._nets:
            self._trouble = f"edgetpu not used: no compiled net in the bundles of {', '.join(self._on_cpu) or 'nobody'}"
            return
        self._trouble = "edgetpu is loading"
        self._begin_loading()
        self._advance(self._limits.load_s if self._strict else self._limits.patience_s, alive)
        if self._child is not None and not self._is_ready:
            logger.warning("%s is still loading; the processor runs the nets until it has", self.device)

    def invoke(self, net: int, stored: NDArray[np.int8]) -> tuple[NDArray[np.int8], ...] | None:
        """Run one net; None when the processor has to."""
        self._advance(0.0)
        if self._child is None or not self._is_ready:
            return None
        try:
            return self._child.invoke(net, stored, self._limits.call_s)
        except DelegateError as error:
            self._lose(error)
            return None

    def close(self) -> None:
        """End the child; a process that hangs is killed, not waited for."""
        if self._child is not None:
            self._child.close()
            self._ending.append(self._child)
            self._child, self._is_ready = None, False
        for child in self._ending:
            if not child.reaped(1.0):
                child.kill()
                child.reaped(1.0)
        self._ending.clear()
        for memory in self._memories:
            os.close(memory)
        self._memories.clear()
        self._nets.clear()

    def _advance(self, wait_s: float, alive: Callable[[], None] = lambda: None) -> None:
        """Look whether loading has ended, or whether it is time for another try."""
        if self._is_ready:
            return
        now = self._clock.monotonic()
        if self._child is None:
            if self._nets and now >= self._at:
                self._begin_loading()
            return
        try:
            ready = _loaded(self._child, wait_s, alive)
        except DelegateError as error:
            self._lose(error)
            return
        if ready is None and (self._strict or now >= self._at):
            self._lose(DelegateError("hung", f"not loaded within {self._limits.load_s:g} s"))
        elif ready is not None:
            self._is_ready, self._trouble, self._at = True, "", now
            logger.info("%s runs %s, on %s", self.device, ", ".join(net.name for net in self._nets), ready.runtime)

    def _begin_loading(self) -> None:
        self._ending = [child for child in self._ending if not child.reaped()]
        self._at = self._clock.monotonic() + self._limits.load_s
        try:
            self._child = ChildProcess(self._library, self.device, tuple(self._nets), self._layout.size_bytes)
        except DelegateError as error:
            self._lose(error)

    def _lose(self, error: DelegateError) -> None:
        """Go on on the processor, and say when the next try is."""
        was_ready, now = self._is_ready, self._clock.monotonic()
        if was_ready and now - self._at >= self._limits.steady_s:
            self._pause_s = self._limits.retry_s
        if self._child is not None:
            self._child.kill()
            self._ending.append(self._child)
        self._child, self._is_ready = None, False
        self._at = float("inf") if error.reason in _LASTING else now + self._pause_s
        self._fall_back(error, word="lost" if was_ready else "not used")
        self._pause_s = min(2 * self._pause_s, self._limits.retry_max_s)

    def _fall_back(self, error: DelegateError, *, word: str = "not used") -> None:
        self._trouble = f"edgetpu {word}: {error.told}"
        self.fallbacks[error.reason] += 1
        if self._strict:
            self.close()
            raise DelegateError(error.reason, f"{self.device}: {self._trouble}; see docs/deploy-coral.md")
        then = f"; next try in {self._at - self._clock.monotonic():.0f} s" if 0 < self._at < float("inf") else ""
        logger.warning("%s, on the processor%s", self._trouble, then)


class EdgeTpuInterpreter:
    """One net on the Edge TPU, and on the processor for as long as that is lost."""

    def __init__(self, edgetpu: EdgeTpu, index: int, cpu: Interpreter) -> None:
        """Wrap the net's twin on the processor; everything but the speed is the same."""
        self.input_shape = cpu.input_shape
        self.input_quantization = cpu.input_quantization
        self.output_quantizations = cpu.output_quantizations
        self.output_shapes = cpu.output_shapes
        self.runtime = cpu.runtime
        self._edgetpu, self._index, self._cpu = edgetpu, index, cpu

    @property
    def device(self) -> str:
        """Where the next call goes."""
        return self._edgetpu.device if self._edgetpu.is_ready else self._cpu.device

    def invoke(self, stored: NDArray[np.int8]) -> tuple[NDArray[np.int8], ...]:
        """Run once; the results are copies the caller owns.

        Raises:
            ShapeError: the input does not have the model's shape and dtype.
            DelegateError: strict, and the device was lost.
            InterpreterError: the processor failed as well.
        """
        require_input(stored, self.input_shape)
        answer = self._edgetpu.invoke(self._index, stored)
        return self._cpu.invoke(stored) if answer is None else answer


def _loaded(child: ChildProcess, wait_s: float, alive: Callable[[], None]) -> Ready | None:
    """Wait for a child to be ready, in turns of a second; None when it is still loading."""
    while wait_s > _TURN_S:
        alive()
        ready = child.loaded(_TURN_S)
        if ready is not None:
            return ready
        wait_s -= _TURN_S
    return child.loaded(wait_s)


def _sealed(name: str, content: bytes) -> int:
    """Put a verified file where nobody can change it any more; returns a descriptor that a child can inherit."""
    memory = os.memfd_create(name, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.ftruncate(memory, len(content))
    os.pwrite(memory, content, 0)
    fcntl.fcntl(memory, fcntl.F_ADD_SEALS, _SEALS)
    return memory
