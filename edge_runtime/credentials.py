"""Where a secret's file is: a path, or a credential that systemd hands to the service alone; addresses without any."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from edge_runtime.errors import ConfigError

PREFIX: Final = "credential:"
HIDDEN: Final = "..."
"""Stands for an address that cannot be shown without what may be a password."""


def secret_path(configured: str, *, key: str, environment: Mapping[str, str] = os.environ) -> Path:
    """Turn `credential:NAME` into the file that `LoadCredential=NAME:...` of the unit makes; a path stays one.

    Args:
        configured: what the configuration says.
        key: the setting's name, for messages.
        environment: holds CREDENTIALS_DIRECTORY where systemd gives credentials.

    Raises:
        ConfigError: not a name of a credential, or this process was given none.
    """
    if not configured.startswith(PREFIX):
        return Path(configured)
    name = configured.removeprefix(PREFIX)
    if not name or "/" in name or name in {".", ".."}:
        raise ConfigError(f"{key} = {configured!r}: expected {PREFIX}NAME, a name without a slash")
    folder = environment.get("CREDENTIALS_DIRECTORY", "")
    if not folder:
        raise ConfigError(
            f"{key} = {configured!r}: this process was given no credentials (CREDENTIALS_DIRECTORY is not set); "
            f"start it with systemd and LoadCredential={name}:FILE, give CREDENTIALS_DIRECTORY a folder that holds "
            f"{name}, or name a file"
        )
    return Path(folder) / name


def without_secrets(url: str) -> str:
    """Leave scheme, host, port and path: user, password and query (where cameras take passwords too) are cut off.

    People write passwords with / ? # and @ as they are; where nothing tells a password from a query, both are left out.
    Some cameras take them in the path (`/user=admin_password=..._channel=1`): it is left out from the first = on.
    """
    scheme, _, rest = url.partition("://")
    front, query = _before_query(rest)
    if "@" in query:
        host, colon, port = front.partition("/")[0].partition(":")
        if "@" in front or port.isdigit() or host.startswith("["):
            front = HIDDEN
        elif colon:  # no port, so the password of a user
            front, _ = _before_query(query.rpartition("@")[2])
    return f"{scheme.lower()}://{_without_fields(front.rpartition('@')[2])}"


def _without_fields(path: str) -> str:
    plain, is_field, _ = path.partition("=")
    return f"{plain.rpartition('/')[0]}/{HIDDEN}" if is_field else path


def _before_query(text: str) -> tuple[str, str]:
    end = next((index for index, letter in enumerate(text) if letter in "?#"), len(text))
    return text[:end], text[end:]
