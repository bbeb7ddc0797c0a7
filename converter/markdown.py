"""Tables of figures in Markdown."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

ROWS = {
    "n": "faces",
    "ap": "average precision",
    "accuracy": "accuracy",
    "macro_f1": "macro F1",
    "ece": "calibration error (ECE)",
    "coverage": "answered at the threshold",
    "accuracy_answered": "accuracy of the answered",
    "uncertain_neutral": "neutral faces called uncertain",
    "uncertain_fear": "fear faces called uncertain",
    "rmse_px": "RMSE, px of 96",
    "nme": "NME",
}
GROUPS = {
    "recall": "recall",
    "precision": "precision",
    "per_source": "source",
    "per_point": "RMSE px",
    "side_shift_px": "labels to the right, px,",
}
_PIXELS = ("rmse_px", "per_point", "side_shift_px")


def share(value: float) -> str:
    """Write a share as percent."""
    return "-" if math.isnan(value) else f"{100 * value:.1f} %"


def figure_table(columns: Mapping[str, Mapping[str, Any]]) -> str:
    """Put figures of several nets or parts side by side."""
    rows = [_row(title, name, [figures.get(name) for figures in columns.values()]) for name, title in ROWS.items()]
    for name, title in GROUPS.items():
        first = next(iter(columns.values())).get(name, {})
        for key in first:
            cells = [figures[name].get(key) for figures in columns.values()]
            rows.append(_row(f"{title} {key}", name, cells))
    head = f"| | {' | '.join(columns)} |"
    return "\n".join([head, "|---" * (len(columns) + 1) + "|", *filter(None, rows)])


def _row(title: str, name: str, cells: list[Any]) -> str:
    if all(cell is None for cell in cells):
        return ""
    return f"| {title} | {' | '.join(_cell(name, cell) for cell in cells)} |"


def _cell(name: str, value: Any) -> str:  # noqa: ANN401  a figure is a number, a share or a group of them
    if value is None:
        return "-"
    if isinstance(value, Mapping):
        return f"{value['rmse_px']:.3f} px, NME {share(value['nme'])} ({value['n']} faces)"
    if isinstance(value, int):
        return str(value)
    if math.isnan(value):
        return "-"
    if name in _PIXELS:
        return f"{value:.3f}"
    return f"{value:.3f}" if name == "ece" else share(value)
