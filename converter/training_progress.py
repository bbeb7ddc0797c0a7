"""Shows a training epoch by epoch."""

from __future__ import annotations

from contextlib import ExitStack

from converter.console import Meter, meter, note


class EpochProgress:
    """Gives every epoch a meter and, at its end, a line with its figures."""

    def __init__(self, epochs: int) -> None:
        self._epochs = epochs
        self._open = ExitStack()
        self._meter: Meter | None = None

    def epoch_started(self, epoch: int, steps: int) -> None:
        """Start the meter of an epoch."""
        self._meter = self._open.enter_context(meter(f"epoch {epoch + 1} of {self._epochs}", steps))

    def step_done(self, loss: float) -> None:
        """Move it."""
        if self._meter is not None:
            self._meter.advance(f"loss {loss:.4f}")

    def epoch_done(self, record: dict[str, float]) -> None:
        """Close it and write the figures."""
        self._open.close()
        figures = ", ".join(f"{name} {value:.4g}" for name, value in record.items() if name != "epoch")
        note("epoch %d of %d: %s", int(record["epoch"]) + 1, self._epochs, figures)
