"""What lasts from the start of the process to its end, however often the configuration is loaded again."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from edge_runtime.commands import Command
from edge_runtime.interfaces import Clock
from edge_runtime.settings import Config
from edge_runtime.telemetry import Figures


@dataclass(frozen=True, slots=True)
class Reload:
    """A reload that is not finished."""

    command: Command
    refused: str | None = None
    """Why the new configuration cannot be used; None = it may still be."""


class Session:
    """Owned by the main thread, handed from one service to the next."""

    def __init__(self, clock: Clock) -> None:
        """Draw the identity of this start."""
        self.boot_id = clock.uuid4()
        self.numbers = itertools.count(1)
        """`seq` of the events."""
        self.next_track_id = 1
        self.frames = 0
        """Processed so far."""
        self.figures = Figures(clock)
        """For the telemetry."""
        self.at = 0.0
        """Source seconds of the newest processed frame."""
        self.paused = False
        """By a command; a restart forgets it."""
        self.opened: set[str] = set()
        """Sources that were open once: they are waited for when they break."""
        self.waits_for_pause: list[Command] = []
        """Who asked for a pause and waits for the answer: it comes once the camera is closed."""
        self.reload: Reload | None = None
        """Not None: the service that runs now has a configuration on trial, or goes on with the old one."""
        self.wanted: Config | None = None
        """The configuration to go on with; the service that finds it ends."""
        self.refusal: str | None = None
        """Why the newest configuration is not in use; part of the status until a reload works."""
