"""How many frames a second a hot or badly powered board may process: a decision, without clocks and files."""

from __future__ import annotations

from edge_runtime.settings import Governor as GovernorSettings


class Governor:
    """Goes down one step while it is too hot or throttled, and up one step when it has been cool for a while.

    A step takes its time to show on a thermometer, so there is one change in `step_s` at most. Between the two limits
    nothing changes: that is the hysteresis.
    """

    def __init__(self, settings: GovernorSettings) -> None:
        """Begin without a limit."""
        self.reason: str | None = None
        """Why frames are left out, for a person; None when none are."""
        self._settings = settings
        self._step = 0
        self._changed_at = float("-inf")
        self._cool_since: float | None = None

    @property
    def limit_fps(self) -> float | None:
        """Frames a second that may be processed; None = all."""
        return self._settings.steps_fps[self._step - 1] if self._step else None

    def update(self, now: float, *, temperature_c: float | None, flags: tuple[str, ...]) -> None:
        """Take a reading.

        Args:
            now: monotonic seconds.
            temperature_c: of the processor; None = not known, which counts as cool.
            flags: what the firmware does against heat and under-voltage now.
        """
        settings = self._settings
        strained = bool(flags) or (temperature_c is not None and temperature_c >= settings.hot_c)
        cool = not flags and (temperature_c is None or temperature_c <= settings.cool_c)
        self._cool_since = (now if self._cool_since is None else self._cool_since) if cool else None
        if now - self._changed_at < settings.step_s:
            return
        if strained and self._step < len(settings.steps_fps):
            self._move(+1, now, ", ".join(flags).replace("_", " ") or f"{temperature_c:.0f} degrees Celsius")
        elif self._step and self._cool_since is not None and now - self._cool_since >= settings.step_s:
            self._move(-1, now, "cooling down")

    def _move(self, steps: int, now: float, why: str) -> None:
        self._step += steps
        self._changed_at = now
        limit = self.limit_fps
        self.reason = None if limit is None else f"at most {limit:g} frames per second are processed: {why}"
