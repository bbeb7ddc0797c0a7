"""What a setting may be, in words, for those that are one of a few or have a form of their own."""

from __future__ import annotations

import re
from typing import Final

from msgspec import inspect

_SAYS_LITTLE: Final = ("Invalid enum value", "matching regex", "Expected `array`, got", "Expected `bool`, got")
"""Parts of msgspec's messages that name what was found, or a word of programmers, and not what may stand there."""


def in_words(message: str, kind: object) -> str:
    """Return msgspec's message about a wrong value, or better words where it says little.

    Args:
        message: what msgspec says.
        kind: the type of the setting.
    """
    expected = _expected(inspect.type_info(kind))
    is_one_of_few = expected.startswith("one of")
    says_little = any(part in message for part in _SAYS_LITTLE) or (is_one_of_few and message.startswith("Expected"))
    return f"expected {expected}" if expected and says_little else message


def _expected(kind: inspect.Type) -> str:
    if isinstance(kind, inspect.Metadata):
        return str((kind.extra_json_schema or {}).get("description", "")) or _expected(kind.type)
    if isinstance(kind, inspect.LiteralType):
        values = [f'"{value}"' if isinstance(value, str) else str(value) for value in kind.values]
        return values[0] if len(values) == 1 else f"one of {', '.join(sorted(values, key=_by_number))}"
    if isinstance(kind, inspect.BoolType):
        return "true or false"
    if isinstance(kind, inspect.VarTupleType):
        item = _expected(kind.item_type)
        return f"a list, each {item}" if item else "a list"
    if isinstance(kind, inspect.UnionType):
        literals = [_expected(part) for part in kind.types if isinstance(part, inspect.LiteralType)]
        numbers = any(isinstance(part, (inspect.IntType, inspect.FloatType)) for part in kind.types)
        return " or ".join([*(["a number"] if numbers else []), *literals]) if literals else ""
    return ""


def _by_number(value: str) -> tuple[list[int], str]:
    return [int(digits) for digits in re.findall(r"\d+", value)], value
