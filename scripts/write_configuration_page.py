#!/usr/bin/env python3
"""Write docs/configuration.md from edge_runtime/settings.py: `python scripts/write_configuration_page.py [--check]`.

The text under each setting in the source is its description here, so the page cannot lie.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec

from edge_runtime import output_settings, settings

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "configuration.md"

HEAD = """# Configuration

<!-- Written by scripts/write_configuration_page.py from edge_runtime/settings.py. Do not edit. -->

Every setting has a default: `emotion-edge run` needs no file. Later layers win:

1. `/etc/emotion-edge/config.toml`, or the file given with `--config`
2. `conf.d/*.toml` beside it, in name order
3. environment variables: `EMOTION_EDGE_<SECTION>__<KEY>`, for instance `EMOTION_EDGE_MQTT__HOST=broker.lan`; lists only
   in files
4. flags of the command line

An unknown key or a wrong value ends the program with exit code 3 and names the file, the line, the key and the nearest
valid one. `emotion-edge config show` prints what is in force, `emotion-edge config check` only checks,
`emotion-edge config schema` prints a JSON Schema for editors.

Passwords do not stand in these files: give the path of a file that holds the password alone (or a systemd credential).
Only that of a camera in the network is part of its address, `source.uri`.

```toml
config_version = 1

[source]
uri = "camera:0"

[mqtt]
host = "broker.lan"
```
"""


def main(arguments: list[str]) -> int:
    """Write the page, or with --check say whether it is up to date."""
    text = render()
    if "--check" not in arguments:
        PAGE.write_text(text, encoding="utf-8")
        print(f"{PAGE.relative_to(ROOT)} written")
        return 0
    if PAGE.read_text(encoding="utf-8") == text:
        return 0
    print(f"{PAGE.relative_to(ROOT)} is stale: run python scripts/write_configuration_page.py", file=sys.stderr)
    return 1


def render() -> str:
    """Return the whole page."""
    described = _descriptions(Path(settings.__file__).read_text(encoding="utf-8"))
    described |= _descriptions(Path(output_settings.__file__).read_text(encoding="utf-8"))
    sections = [field.name for field in msgspec.structs.fields(settings.Config) if field.name != "config_version"]
    return HEAD + "".join(_section(name, described) for name in sections)


def _section(name: str, described: dict[str, dict[str, str]]) -> str:
    section = type(getattr(settings.Config(), name))
    about = described[section.__name__]
    lines = [f"\n## [{name}]\n\n{about['']}\n\n| key | default | meaning |\n|---|---|---|\n"]
    defaults = section()
    for field in msgspec.structs.fields(section):
        value = getattr(defaults, field.name)
        shown = "from the bundle" if value is None else f"`{_toml(value)}`"
        lines.append(f"| `{field.name}` | {shown} | {about.get(field.name, '')} |\n")
    return "".join(lines)


def _toml(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _descriptions(source: str) -> dict[str, dict[str, str]]:
    """Class -> field -> the string under it; the class's own docstring stands at the empty name."""
    found = {}
    for node in ast.parse(source).body:
        if isinstance(node, ast.ClassDef):
            found[node.name] = {"": ast.get_docstring(node) or "", **dict(_fields(node))}
    return found


def _fields(node: ast.ClassDef) -> Iterator[tuple[str, str]]:
    for field, text in zip(node.body, [*node.body[1:], ast.Pass()], strict=True):
        if not (isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)):
            continue
        if isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant):
            yield field.target.id, " ".join(str(text.value.value).split()).replace("|", "\\|")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
