"""Write docs/events.md from the JSON Schemas: `python scripts/write_events_page.py`, or `--check` that it is fresh."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parent.parent
PAGE: Final = ROOT / "docs" / "events.md"
SCHEMAS: Final = ROOT / "edge_runtime" / "schemas"
NAMES: Final = ("event", "observation", "status", "state", "telemetry", "command_result")

INTRODUCTION: Final = """\
# What leaves the device

Six JSON payloads, UTF-8, one line each: in the log file, on standard output with `console.format = "json"`, and over
[MQTT](mqtt.md). Each names its form in `schema`; the JSON Schemas (draft 2020-12) of this page are shipped in
`edge_runtime/schemas/`. A field that does not apply is absent, never null. Fields that a schema does not name do not
occur. A new optional field keeps the version in `schema`; anything else raises it, so ignore fields you do not know.

No field can hold a picture, a crop or an embedding. `track_id` follows a face while it is seen; it does not recognise
a person who comes back.

- Duplicates and gaps: an event may arrive twice (the second time perhaps with `replayed`). `boot_id` and `seq` tell an
  event from any other, and `seq` is written without gaps within a `boot_id`: a gap is a lost event.
- Durations: take `duration_s` or differences of `monotonic_ns`. `time` may step when the clock is set; `clock_synced`
  says whether it was known to be right.
- Every `emotion_started` has one end: an `emotion_ended`, also when the program is stopped. An `emotion_changed` ends
  one label and starts the next. Every `face_appeared` has one `face_lost`.

This page is written by `python scripts/write_events_page.py`; a test fails when it is not up to date.
"""


def events_page() -> str:
    """Return the whole page."""
    parts: list[str] = [INTRODUCTION]
    shared: dict[str, Any] = {}
    for name in NAMES:
        schema = json.loads((SCHEMAS / f"{name}.json").read_text(encoding="utf-8"))
        parts += [f"## {name}\n", f"{schema['description']} Schema: `edge_runtime/schemas/{name}.json`.\n"]
        parts += [_table(schema), *_conditions(schema)]
        shared |= schema.get("$defs", {})
    for name, part in shared.items():
        if part["type"] == "object":
            parts += [f"## {name} (a part)\n", f"{part['description']}\n", _table(part)]
    return "\n".join(parts)


def _table(schema: dict[str, Any]) -> str:
    rows = ["| field | there | value | meaning |", "|---|---|---|---|"]
    for name, part in schema["properties"].items():
        there = "always" if name in schema["required"] else "sometimes"
        rows.append(f"| `{name}` | {there} | {_value(part)} | {part.get('description', '')} |")
    return "\n".join(rows) + "\n"


def _value(part: dict[str, Any]) -> str:
    """Say in a word what JSON value a field has."""
    if "$ref" in part:
        name = part["$ref"].rpartition("/")[2]
        return "array of 2 numbers" if name == "point" else f"[{name}](#{name}-a-part)"
    if "const" in part:
        return f"`{part['const']}`"
    if "enum" in part:
        return ", ".join(f"`{value}`" for value in part["enum"])
    if part["type"] == "array":
        items = part.get("items")
        return f"array of {_value(items)}" if items else f"array of {len(part['prefixItems'])} numbers"
    if part["type"] == "object" and "properties" in part:
        return "object: " + ", ".join(f"`{name}`" for name in part["properties"])
    return str(part["type"]) + _limits(part)


def _limits(part: dict[str, Any]) -> str:
    least, most = part.get("minimum"), part.get("maximum")
    if least is None:
        return ""
    return f", {least} or more" if most is None else f", {least} to {most}"


def _conditions(schema: dict[str, Any]) -> Iterator[str]:
    """Say which further fields each event type has."""
    if "allOf" not in schema:
        return
    yield "| event_type | has besides | may have |\n|---|---|---|"
    optional = [name for name in schema["properties"] if name not in schema["required"]]
    for rule in schema["allOf"]:
        then = rule["then"]
        absent = {name for name, part in then.get("properties", {}).items() if part is False}
        may = [name for name in optional if name not in absent and name not in then["required"]]
        event_type = rule["if"]["properties"]["event_type"]["const"]
        yield f"| `{event_type}` | {_listed(then['required'])} | {_listed(may)} |"
    yield ""


def _listed(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def main(arguments: list[str]) -> int:
    """Write the page, or with --check compare it."""
    page = events_page()
    if arguments == ["--check"]:
        if PAGE.is_file() and PAGE.read_text(encoding="utf-8") == page:
            return 0
        print(f"{PAGE}: not up to date; run `python scripts/write_events_page.py`", file=sys.stderr)
        return 1
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
