"""Reading TOML with errors that name the file, the key, what was expected, what was found and the remedy."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from firmware_config.errors import ProfileError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


def nearest(word: str, valid: Sequence[str]) -> str:
    """Return `; did you mean "X"?` for the closest valid word, or nothing when none is close."""
    close = difflib.get_close_matches(word, valid, n=1, cutoff=0.5)
    return f'; did you mean "{close[0]}"?' if close else ""


def read_toml(path: Path) -> Table:
    """Read a TOML file into a Table.

    Raises:
        ProfileError: the file cannot be read or is not TOML.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ProfileError(f"{path}: cannot be read ({error.strerror}); check the path and its permissions") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ProfileError(f"{path}: not valid TOML: {error}; mend that line") from error
    except RecursionError as error:
        raise ProfileError(f"{path}: brackets in brackets without end; see the shipped profiles") from error
    return Table(path, "", content)


class Table:
    """One TOML table that remembers which keys were asked for.

    Each reader checks one key. `finish` refuses every key that nobody asked for, so a typo never passes in silence.
    """

    def __init__(self, path: Path, prefix: str, content: Mapping[str, Any]) -> None:
        self._path = path
        self._prefix = prefix
        self._content = content
        self._asked: list[str] = []

    def text(self, key: str, *, choices: Sequence[str] = (), default: str | None = None) -> str:
        """Return a string that is not empty and, where choices are given, is one of them."""
        value = self._value(key, default, "a text in quotes")
        if value == default and key not in self._content:
            return str(value)
        if not isinstance(value, str) or not value.strip():
            raise self.error(key, "a text in quotes that is not empty", value)
        if choices and value not in choices:
            raise self.error(key, "one of " + ", ".join(choices), value, nearest(value, choices))
        return value

    def integer(self, key: str, low: int, high: int, *, default: int | None = None) -> int:
        """Return a whole number in low..high, both included."""
        value = self._value(key, default, f"a whole number from {low} to {high}")
        # bool is an int in Python: `fps = true` must not mean 1.
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise self.error(key, f"a whole number from {low} to {high}", value)
        return value

    def flag(self, key: str, *, default: bool | None = None) -> bool:
        """Return true or false."""
        value = self._value(key, default, "true or false")
        if not isinstance(value, bool):
            raise self.error(key, "true or false", value)
        return value

    def texts(self, key: str, *, default: tuple[str, ...] | None = None) -> tuple[str, ...]:
        """Return a list of strings."""
        value = self._value(key, default, "a list of texts")
        if not isinstance(value, list | tuple) or not all(isinstance(item, str) and item for item in value):
            raise self.error(key, "a list of texts", value)
        return tuple(value)

    def tables(self, key: str) -> tuple[Table, ...]:
        """Return the entries of an array of tables, empty when the key is absent."""
        value = self._value(key, (), "an array of tables")
        if not isinstance(value, list | tuple) or not all(isinstance(item, dict) for item in value):
            raise self.error(key, f"an array of tables ([[{self._name(key)}]])", value)
        return tuple(Table(self._path, f"{self._name(key)}[{index}]", item) for index, item in enumerate(value))

    def table(self, key: str) -> Table:
        """Return a table that must be there."""
        value = self._value(key, None, "a table")
        if not isinstance(value, dict):
            raise self.error(key, f"a table ([{self._name(key)}])", value)
        return Table(self._path, self._name(key), value)

    def finish(self) -> None:
        """Refuse keys that no reader asked for.

        Raises:
            ProfileError: names the first unknown key and the nearest valid one.
        """
        for key in self._content:
            if key not in self._asked:
                raise ProfileError(
                    f'{self._path}: unknown key "{self._name(key)}"; expected one of {", ".join(self._asked)}'
                    f"{nearest(key, self._asked)}; rename or remove it"
                )

    def error(self, key: str, expected: str, found: object, hint: str = "") -> ProfileError:
        """Return the error for one key, with file, expected and found."""
        return ProfileError(
            f'{self._path}: key "{self._name(key)}": expected {expected}, found {found!r}{hint}; correct the value'
        )

    def _name(self, key: str) -> str:
        return f"{self._prefix}.{key}" if self._prefix else key

    def _value(self, key: str, default: object, expected: str) -> object:
        self._asked.append(key)
        if key in self._content:
            return self._content[key]
        if default is None:
            raise ProfileError(f'{self._path}: key "{self._name(key)}" is missing; expected {expected}; add it')
        return default
