"""Every error this package raises on purpose, and the exit code each one ends the program with."""

from __future__ import annotations

from typing import ClassVar


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


class DeviceNotFoundError(SourceError):
    """A camera or accelerator is not there."""


class DevicePermissionError(SourceError):
    """A device is there, but this user may not open it."""


class ModelError(EdgeRuntimeError):
    """A model cannot be used."""

    exit_code = 5


class ContractError(ModelError, ValueError):
    """A model bundle does not match edge_runtime.contract."""


class BundleError(ModelError, OSError):
    """A model bundle is missing, incomplete or damaged."""


class InterpreterError(ModelError, RuntimeError):
    """No TFLite interpreter could be constructed, or it failed while it ran."""


class DetectorError(ModelError):
    """A face detector cannot be used: its file or its OpenCV part is missing."""


class SinkError(EdgeRuntimeError, OSError):
    """Events cannot be written where they should go."""


class BrokerError(SinkError):
    """The MQTT broker is required and cannot be reached."""

    exit_code = 6


class WebError(EdgeRuntimeError, OSError):
    """The web server cannot listen where it should."""
