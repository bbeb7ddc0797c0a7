"""Reads what `emotion-edge tune RECORDING --json` printed."""

from __future__ import annotations

from pathlib import Path

import msgspec

from converter.errors import DataError


class Outcome(msgspec.Struct, frozen=True):
    """What one set of thresholds would have done."""

    varied: str | None
    """The threshold that differs from those in use; None for those in use."""
    thresholds: dict[str, float]
    window_s: float
    flips_per_minute: float
    """Changes of label a minute."""
    answered_share: float
    """Share of the time with a face in which it had an answer, 0..1."""

    def value_of(self, name: str) -> float:
        """Return one threshold by its name."""
        return self.window_s if name == "window_s" else self.thresholds[name]


class _Tuning(msgspec.Struct):
    outcomes: list[Outcome]


def read_tuning(path: Path) -> list[Outcome]:
    """Read every outcome, among them the one in use; DataError for anything else."""
    try:
        outcomes = msgspec.json.decode(path.read_bytes(), type=_Tuning).outcomes
    except OSError as error:
        raise DataError(
            f"{path}: cannot read ({error.strerror}); make it with `emotion-edge tune RECORDING --json`"
        ) from error
    except msgspec.DecodeError as error:
        raise DataError(f"{path}: {error}; expected the output of `emotion-edge tune RECORDING --json`") from error
    if len({outcome.varied for outcome in outcomes} - {None}) == 0 or all(o.varied for o in outcomes):
        raise DataError(
            f"{path}: expected the thresholds in use and at least one variation; found {len(outcomes)} rows"
        )
    return outcomes
