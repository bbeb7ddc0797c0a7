"""JSON Schemas (draft 2020-12) of everything that leaves the device, and of recordings; one file each."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any, Final

from edge_runtime.errors import UsageError

SCHEMA_NAMES: Final[tuple[str, ...]] = ("event", "observation", "status", "state", "telemetry", "command_result")
"""Every payload; the name is also the last level of its MQTT topic, but for the results of commands."""

FILE_SCHEMA_NAMES: Final[tuple[str, ...]] = ("recording",)
"""What is written to a file on request and never sent: the schema of one line."""


def schema_text(name: str) -> str:
    """Return a schema file as it is shipped; UsageError for a name that is none."""
    known = (*SCHEMA_NAMES, *FILE_SCHEMA_NAMES)
    if name not in known:
        raise UsageError(f"no schema {name!r}; there are {', '.join(known)}")
    return resources.files(__name__).joinpath(f"{name}.json").read_text(encoding="utf-8")


def load_schema(name: str) -> dict[str, Any]:
    """Parse a schema; UsageError for a name that is none."""
    schema: dict[str, Any] = json.loads(schema_text(name))
    return schema
