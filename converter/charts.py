"""Pictures of figures: learning curves, confusion, errors per point. No face is ever drawn."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from converter.tuning import Outcome
from edge_runtime.contract import EMOTION_LABELS

_COLORS = 32
_DPI = 110
_WIDE, _SQUARE = (8.0, 4.0), (5.5, 5.0)


def draw_learning_curve(records: list[dict[str, float]], path: Path) -> None:
    """Draw loss and validation figures by epoch."""
    figure = Figure(_WIDE, layout="constrained")
    left, right = figure.subplots(1, 2)
    epochs = [record["epoch"] + 1 for record in records]
    left.plot(epochs, [record["loss"] for record in records])
    left.set(xlabel="epoch", ylabel="training loss")
    for name in sorted(set(records[0]) & {"accuracy", "macro_f1", "rmse_px", "ap", "recall_at_95"}):
        right.plot(epochs, [record[name] for record in records], label=name)
    right.set(xlabel="epoch", ylabel="validation part, float net")
    right.legend()
    _save(figure, path)


def draw_confusion(table: list[list[int]], path: Path) -> None:
    """Draw a (5, 5) table of counts: row = true class, column = answer, colour = share of the row."""
    counts = np.array(table)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure = Figure(_SQUARE, layout="constrained")
    axes = figure.subplots()
    axes.imshow(shares, vmin=0, vmax=1, cmap="Blues")
    ticks = range(len(EMOTION_LABELS))
    axes.set_xticks(ticks, EMOTION_LABELS)
    axes.set_yticks(ticks, EMOTION_LABELS)
    axes.set(xlabel="answer of the int8 net", ylabel="label")
    for row, column in np.ndindex(*counts.shape):
        color = "white" if shares[row, column] > 0.5 else "black"
        text = f"{shares[row, column]:.0%}\n{counts[row, column]}"
        axes.text(column, row, text, ha="center", va="center", color=color)
    _save(figure, path)


def draw_errors(per_point: dict[str, float], path: Path) -> None:
    """Draw the RMSE of each point in pixels of the 96 x 96 crop."""
    figure = Figure(_WIDE, layout="constrained")
    axes = figure.subplots()
    names = list(per_point)[::-1]
    axes.barh(names, [per_point[name] for name in names])
    axes.set(xlabel="RMSE of the int8 net, pixels of the crop")
    axes.grid(axis="x", alpha=0.4)
    _save(figure, path)


def draw_tuning(outcomes: list[Outcome], path: Path) -> None:
    """Draw changes of label a minute and the share of time with an answer, one column per threshold that was varied."""
    in_use = next(outcome for outcome in outcomes if outcome.varied is None)
    names = list(dict.fromkeys(outcome.varied for outcome in outcomes if outcome.varied))
    figure = Figure((2.6 * len(names), 4.5), layout="constrained")
    rows = figure.subplots(2, len(names), sharey="row", squeeze=False)
    for column, name in enumerate(names):
        tried = sorted((o for o in [*outcomes, in_use] if o.varied in (name, None)), key=lambda o: o.value_of(name))
        values = [outcome.value_of(name) for outcome in tried]
        rows[0, column].plot(values, [outcome.flips_per_minute for outcome in tried], marker=".")
        rows[1, column].plot(values, [100 * outcome.answered_share for outcome in tried], marker=".")
        rows[1, column].set(xlabel=name)
        for axes in rows[:, column]:
            axes.axvline(in_use.value_of(name), color="grey", linestyle=":", label="in use")
            axes.grid(alpha=0.3)
    rows[0, 0].set(ylabel="changes of label a minute")
    rows[1, 0].set(ylabel="time with an answer, %")
    rows[0, 0].legend()
    _save(figure, path)


def draw_precision_recall(curve: list[list[float]], path: Path) -> None:
    """Draw precision over recall from rows of recall, precision and score."""
    figure = Figure(_SQUARE, layout="constrained")
    axes = figure.subplots()
    axes.plot([row[0] for row in curve], [row[1] for row in curve])
    axes.set(xlabel="recall of the int8 net", ylabel="precision", xlim=(0, 1), ylim=(0, 1.02))
    axes.grid(alpha=0.4)
    _save(figure, path)


def draw_figures(kind: str, figures: dict[str, Any], folder: Path) -> str:
    """Draw what a kind of net is judged by; returns the file's name."""
    if kind == "emotion":
        draw_confusion(figures["confusion"], folder / "confusion.png")
        return "confusion.png"
    if kind == "faces":
        draw_precision_recall(figures["curve"], folder / "precision-recall.png")
        return "precision-recall.png"
    draw_errors(figures["per_point"], folder / "errors.png")
    return "errors.png"


def _save(figure: Figure, path: Path) -> None:
    drawn = io.BytesIO()
    figure.savefig(drawn, dpi=_DPI)
    # Few colours make a quarter of the bytes, and bundles lie on devices; no metadata: same figures, same bytes.
    Image.open(drawn).convert("RGB").quantize(_COLORS).save(path, format="PNG", optimize=True)
