"""Every error this package raises on purpose, and the exit code each one ends the program with."""

from __future__ import annotations

from typing import ClassVar, Literal, TypeAlias

DelegateReason: TypeAlias = Literal[
    "library_missing",
    "no_device",
    "not_compiled",
    "refused",
    "mismatch",
    "aborted",
    "killed",
    "exited",
    "hung",
    "failed",
]
"""Why the Edge TPU is not used: the label of a metric. refused: the interpreter takes the library or the compiled net
not. mismatch: the compiled net is another one than model.tflite. aborted, killed, exited, hung: what its process did.
failed: its process answered with an error."""


class EdgeRuntimeError(Exception):
    """Base of every error this package raises on purpose."""

    exit_code: ClassVar[int] = 1
    """What the command line returns when this error ends it."""


class UsageError(EdgeRuntimeError, ValueError):
    """A command was called with arguments that do not fit together."""

    exit_code = 2


class ConfigError(EdgeRuntimeError, ValueError):
    """A configuration file, variable or value is wrong."""

    exit_code = 3


class SourceError(EdgeRuntimeError, OSError):
    """A source of frames cannot be opened or broke while it was read."""

    exit_code = 4
    reason: ClassVar[str] = "lost"
    """One word for status and metrics."""


class DeviceNotFoundError(SourceError):
    """A camera or accelerator is not there."""

    reason = "missing"


class DevicePermissionError(SourceError):
    """A device is there, but this user may not open it."""

    reason = "permission"


class CameraStalledError(SourceError):
    """A camera is open and gives no frames."""

    reason = "stalled"


class CameraHungError(SourceError):
    """A camera's driver returns no more; only a new process helps."""

    reason = "hung"


class CameraFrozenError(SourceError):
    """A camera gives the same picture again and again."""

    reason = "frozen"

    def __init__(self, message: str, *, has_moved: bool) -> None:
        """Say whether its picture had changed since it was opened."""
        super().__init__(message)
        self.has_moved = has_moved


class ModelError(EdgeRuntimeError):
    """A model cannot be used."""

    exit_code = 5


class ContractError(ModelError, ValueError):
    """A model bundle does not match edge_runtime.contract."""


class BundleError(ModelError, OSError):
    """A model bundle is missing, incomplete or damaged."""


class SignatureError(ModelError, ValueError):
    """A bundle is not signed, or not by a trusted key."""


class StoreError(ModelError, OSError):
    """The store of models cannot do what it was asked for."""


class InterpreterError(ModelError, RuntimeError):
    """No TFLite interpreter could be constructed, or it failed while it ran."""


class DelegateError(InterpreterError):
    """The Edge TPU cannot be used, or was lost."""

    def __init__(self, reason: DelegateReason, told: str) -> None:
        """Hold the reason for machines and what is told to a person."""
        super().__init__(told)
        self.reason: DelegateReason = reason
        self.told = told


class DetectorError(ModelError):
    """A face detector cannot be used: its file or its OpenCV part is missing."""


class MemoryLimitError(EdgeRuntimeError):
    """The program holds more memory than it may."""


class SinkError(EdgeRuntimeError, OSError):
    """Events cannot be written where they should go."""


class BrokerError(SinkError):
    """The MQTT broker is required and cannot be reached."""

    exit_code = 6


class WebError(EdgeRuntimeError, OSError):
    """The web server cannot listen where it should."""


class ClaimedError(EdgeRuntimeError, OSError):
    """Another process uses what only one may use."""
