"""What people are told before they are read: text from a file, in any language."""

from __future__ import annotations

import sys
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from edge_runtime.errors import ConfigError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

Text = Annotated[str, Meta(min_length=1)]


class Notice(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The notice that Art. 50(3) of the EU AI Act asks of who deploys emotion recognition, and its buttons."""

    language: Annotated[str, Meta(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]
    """BCP 47, for instance en or de-AT: screen readers choose their voice by it."""
    title: Text
    paragraphs: Annotated[tuple[Text, ...], Meta(min_length=1)]
    strip: Text
    """One line that stays on the kiosk's screen."""
    continue_button: Text
    agree_button: Text
    """Shown in place of continue_button where a consent gate is configured."""
    withdraw_button: Text
    """Takes an agreement back."""


def load_notice(path: str) -> Notice:
    """Read a notice; the shipped English one when `path` is empty.

    Raises:
        ConfigError: names the file, the field, what was found and what is expected.
    """
    try:
        shipped = files("edge_runtime").joinpath("web", "notices", "en.toml")
        text = Path(path).read_text(encoding="utf-8") if path else shipped.read_text(encoding="utf-8")
        return msgspec.convert(tomllib.loads(text), Notice)
    except OSError as error:
        raise ConfigError(f"{path}: cannot read the notice ({error.strerror}); check web.notice_file") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise ConfigError(f"{path}: no notice: {error}; see docs/kiosk.md for the fields") from error
