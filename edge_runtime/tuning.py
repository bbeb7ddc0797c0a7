"""How the events of a recording change with the thresholds of the policy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, Literal

from edge_runtime.policy import Change, Thresholds
from edge_runtime.recording import Recording
from edge_runtime.replay import replayed_changes, smoothed_again

Setting = Literal["enter", "exit", "hold_s", "min_time_s", "window_s"]

SETTINGS: Final[tuple[Setting, ...]] = ("enter", "exit", "hold_s", "min_time_s", "window_s")

SOON_S: Final = 1.0
"""A label that starts so soon after the last one ended counts as a flip."""

_FACTORS: Final = (0.5, 0.75, 1.0, 1.25, 1.5, 2.0)
_HOLDS_S: Final = (0.2, 0.4, 0.6, 1.0, 1.5, 2.0, 3.0)
_WINDOWS_S: Final = (0.0, 0.25, 0.5, 1.0, 2.0)
_MIN_TIMES_S: Final = (0.0, 0.1, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one set of thresholds makes of a recording."""

    varied: Setting | None
    """The setting that differs from the first row; None in the first row."""
    thresholds: Thresholds
    window_s: float
    """Time constant of the smoothing of scores."""
    events_per_minute: float
    """Starts, changes and ends of emotions; appearances of faces do not depend on thresholds."""
    flips_per_minute: float
    """Labels that replaced another, or started within SOON_S after the last one ended."""
    answered_share: float
    """Time with a label / time with a face, summed over faces; 0..1."""

    def as_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return asdict(self)


def usual_values(base: Thresholds) -> dict[Setting, tuple[float, ...]]:
    """Return the values worth trying around thresholds in use."""
    return {
        "enter": _around(base.enter, lowest=0.0, highest=1.0),
        "exit": _around(base.exit, lowest=0.0, highest=base.enter),
        "hold_s": _HOLDS_S,
        "min_time_s": _MIN_TIMES_S,
        "window_s": _WINDOWS_S,
    }


def outcomes(recording: Recording, base: Thresholds, values: Mapping[Setting, Sequence[float]]) -> Iterator[Outcome]:
    """Yield the outcome of `base`, then of every value in turn with all else as in `base`.

    When `enter` is varied, `exit` keeps its share of it: a gap that closes would change two things at once.
    """
    yield judged(recording, base, varied=None)
    for setting in SETTINGS:
        for value in values.get(setting, ()):
            other = smoothed_again(recording, value) if setting == "window_s" else recording
            changed = varied(base, setting, value)
            if changed != base or other is not recording:
                yield judged(other, changed, varied=setting)


def varied(base: Thresholds, setting: Setting, value: float) -> Thresholds:
    """Return thresholds with one value changed."""
    if setting == "window_s":  # smoothing comes before thresholds
        return base
    changes: dict[str, Any] = {setting: value}
    if setting == "enter" and base.enter > 0.0:
        changes["exit"] = round(value * base.exit / base.enter, 4)
    if setting == "exit":
        changes["exit"] = min(value, base.enter)
    return replace(base, **changes)


def judged(recording: Recording, thresholds: Thresholds, *, varied: Setting | None) -> Outcome:
    """Replay a recording and count."""
    changes = list(replayed_changes(recording, thresholds))
    frames = recording.frames
    minutes = max(frames[-1].captured_at - frames[0].captured_at, 1e-9) / 60.0
    told = [change for change in changes if change.change_type.startswith("emotion_")]
    return Outcome(
        varied=varied,
        thresholds=thresholds,
        window_s=recording.header.window_s,
        events_per_minute=len(told) / minutes,
        flips_per_minute=flips(told) / minutes,
        answered_share=answered_share(changes),
    )


def flips(changes: Sequence[Change]) -> int:
    """Count labels that replaced another, or came back soon, of the same track."""
    count = 0
    ended_at: dict[int, float] = {}
    for change in changes:
        if change.change_type == "emotion_ended":
            ended_at[change.track_id] = change.at
        elif change.change_type == "emotion_changed":
            count += 1
        elif change.change_type == "emotion_started":
            count += change.at - ended_at.get(change.track_id, float("-inf")) < SOON_S
    return count


def answered_share(changes: Sequence[Change]) -> float:
    """Return the share of the faces' time that had a label; 0 without a face."""
    spans = {"labels": 0.0, "faces": 0.0}
    for change in changes:
        if change.started_at is not None:
            spans["faces" if change.change_type == "face_lost" else "labels"] += change.at - change.started_at
    return spans["labels"] / spans["faces"] if spans["faces"] > 0.0 else 0.0


def _around(value: float, *, lowest: float, highest: float) -> tuple[float, ...]:
    found = {round(min(max(value * factor, lowest), highest), 4) for factor in _FACTORS}
    return tuple(sorted(found))
