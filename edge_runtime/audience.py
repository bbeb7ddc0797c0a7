"""Who looks on while frames are processed. The web page is one such audience, nobody another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from edge_runtime.datatypes import Frame, Observation


class Reading(Protocol):
    """A source that is being read."""

    @property
    def dropped(self) -> int:
        """Frames that a newer one replaced."""
        ...

    @property
    def left_out(self) -> Mapping[str, int]:
        """Other frames that nobody will see, by reason; since the program began."""
        ...


class Audience(Protocol):
    """Looks on. The frame loop calls it, so nothing here may wait, but for `wait_for_consent`."""

    def reading(self, frames: Reading) -> None:
        """A source was opened."""
        ...

    def show(self, frame: Frame, seen: Observation) -> None:
        """Take one processed frame; the frame may be kept, nobody writes into it."""
        ...

    def consents(self) -> bool:
        """Whether frames may be processed now."""
        ...

    def wait_for_consent(self, timeout_s: float) -> bool:
        """Wait until frames may be processed; False when the time is over."""
        ...


class Nobody:
    """Nobody looks on, and nobody has to agree."""

    def reading(self, frames: Reading) -> None:
        """Do nothing."""

    def show(self, frame: Frame, seen: Observation) -> None:
        """Do nothing."""

    def consents(self) -> bool:
        """Nobody was asked."""
        return True

    def wait_for_consent(self, timeout_s: float) -> bool:  # noqa: ARG002  the Protocol's
        """Nobody was asked."""
        return True
