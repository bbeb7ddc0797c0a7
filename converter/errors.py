"""Errors the converter raises on purpose; each message says what, where, expected, found and the remedy."""

from __future__ import annotations

from typing import ClassVar


class ConverterError(Exception):
    """Base of every error the converter raises on purpose."""

    exit_code: ClassVar[int] = 1
    """What the command line returns when this error ends it."""


class DataError(ConverterError, ValueError):
    """A data file is missing, ragged, out of range or of an unknown form."""


class RecipeError(ConverterError, ValueError):
    """A recipe has an unknown key or a value that does not fit."""

    exit_code = 3


class RunError(ConverterError):
    """A run folder does not fit what was asked: another recipe, other data, or not finished."""


class ParityError(ConverterError):
    """The int8 net answers too differently from the float net."""

    exit_code = 7


class EdgeTpuError(ConverterError):
    """The Edge TPU cannot run all of a net."""

    exit_code = 5
