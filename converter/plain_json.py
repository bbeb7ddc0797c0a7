"""Figures as JSON that every reader takes."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping


def to_json(content: object) -> str:
    """Encode with one entry a line; NaN and infinity, which JSON does not know, become null."""
    return json.dumps(_finite(content), indent=1, ensure_ascii=False)


def _finite(value: object) -> object:
    if isinstance(value, Mapping):
        return {str(key): _finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
