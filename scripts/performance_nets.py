"""Sections of docs/performance.md about single nets: time of an invoke, what quantising costs, detectors."""

from __future__ import annotations

from scripts.performance_table import MISSING, Result, percent, section, table

FIGURES = {
    "accuracy": "accuracy",
    "macro_f1": "macro F1",
    "ece": "ECE",
    "rmse_px": "RMSE px of 96",
    "nme": "NME",
}
"""Figure of benchmarks.quantization -> head of its column."""

IN_PERCENT = ("accuracy", "macro_f1", "nme")

RANGES = {"over_60": "> 60 px", "from_40_to_60": "40-60 px", "from_20_to_40": "20-40 px"}
"""Range of converter.faces.scenes -> its name in a head."""

KINDS_OF_NUMBERS = """
float32 is the net as it was trained. dynamic: int8 weights, and activations that are measured and rounded at every
invoke. float16: weights of half the size, arithmetic in float32. int8: everything in whole numbers, ranges fixed by
calibration pictures. int8 is shipped because the Edge TPU takes 8-bit whole numbers only, and Arm cores work on more
of them at once than of floats (the Cortex-A76 of a Pi 5 has dot products for them). Memory is what loading and
answering add to a process. The times are of x86 kernels and do not say how the four compare on Arm.
"""

DETECTOR_RULES = """
In brackets the 95 % interval (Wilson) and the number of faces or finds. The rules of judging are in
[The face detector](detector.md#how-good-it-is). Milliseconds are of a whole call, shrinking included.
"""


def nets(result: Result) -> str:
    """Write what one invoke of each shipped net takes."""
    rows = [
        (kind, row["model"], f"{row['bytes'] / 1000:.0f}", row["p50_ms"], row["p95_ms"])
        for kind, row in result["nets"].items()
    ]
    body = table(("net", "model", "kB", "p50 ms", "p95 ms"), rows)
    return section("One invoke of each net, one thread", result, body)


def quantization(result: Result) -> str:
    """Write float32, dynamic, float16 and int8 of one net side by side."""
    variants = result["variants"]
    judged = [name for name in FIGURES if all(name in row for row in variants.values())]
    rows = [
        (kind, *(_figure(name, row[name]) for name in judged), f"{row['bytes'] / 1000:.0f}", *_costs(row))
        for kind, row in variants.items()
    ]
    head = ("numbers", *(FIGURES[name] for name in judged), "kB", "p50 ms", "memory MB")
    part = ", its PublicTest rows where it has such" if result["kind"] == "emotion" else ""
    body = f"Judged on `{result['data']}`{part}.\n\n{table(head, rows)}"
    return section(f"What quantising costs, net {result['kind']}", result, body)


def detectors(result: Result) -> str:
    """Write recall and precision per size of face, and finds where there is no face."""
    rows = [
        (
            row["detector"],
            *(cell for name in RANGES for cell in _found(row[name])),
            row["ms"],
            _invented(row["no_face_clips"]),
        )
        for row in result["detectors"]
    ]
    columns = [f"{size}: {what}" for size in RANGES.values() for what in ("recall", "precision")]
    head = ("detector", *columns, "p50 ms", "finds on clips without faces")
    return section("Face detectors on annotated photographs", result, table(head, rows))


def _figure(name: str, value: float) -> str:
    return percent(value, 2) if name in IN_PERCENT else f"{value:.4f}"


def _costs(row: Result) -> tuple[float, float]:
    return row["p50_ms"], row["memory_mb"]


def _found(figures: Result) -> tuple[str, str]:
    """Recall and precision of one range of sizes."""
    return (
        _with_interval(figures["recall"], figures["recall_ci95"], figures["n"]),
        _with_interval(figures["precision"], figures["precision_ci95"], figures["finds"]),
    )


def _with_interval(share: float | None, interval: list[float] | None, count: int) -> str:
    if share is None or not interval:
        return f"{MISSING} (n {count})"
    low, high = interval
    return f"{share:.2f} ({low:.2f}-{high:.2f}, n {count})"


def _invented(clips: Result) -> str:
    finds, frames = (sum(clip[what] for clip in clips.values()) for what in ("finds", "frames"))
    return f"{finds} in {frames} frames"
