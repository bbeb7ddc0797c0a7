"""How verbs answer: data on standard output as JSON or as aligned text."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import Any

from converter.plain_json import to_json


def add_json_flag(parser: argparse.ArgumentParser) -> None:
    """Add `--json`."""
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")


def answer(figures: Mapping[str, Any], *, as_json: bool) -> None:
    """Print figures."""
    if as_json:
        print(to_json(figures))
        return
    for line in _lines(figures, ""):
        print(line)


def _lines(figures: Mapping[str, Any], indent: str) -> list[str]:
    width = max((len(str(key)) for key in figures), default=0)
    lines: list[str] = []
    for key, value in figures.items():
        if isinstance(value, Mapping):
            lines += [f"{indent}{key}", *_lines(value, indent + "  ")]
        elif _is_table(value):
            lines += [f"{indent}{key}", *(indent + "  " + "".join(f"{cell:>7}" for cell in row) for row in value)]
        else:
            lines.append(f"{indent}{key:<{width}}  {_text(value)}")
    return lines


def _is_table(value: object) -> bool:
    return isinstance(value, Sequence) and bool(value) and isinstance(value[0], list)


def _text(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.4f}"
    if isinstance(value, list):
        return " ".join(map(_text, value))
    return str(value)
