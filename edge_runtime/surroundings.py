"""What a run takes from outside itself: time, the wish to stop, and who listens or looks on."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from edge_runtime.audience import Audience, Nobody
from edge_runtime.clock import SystemClock
from edge_runtime.heartbeat import Heartbeat, Silence
from edge_runtime.interfaces import Clock


@dataclass(frozen=True)
class Surroundings:
    """Tests own all of it."""

    clock: Clock = field(default_factory=SystemClock)
    stop: threading.Event = field(default_factory=threading.Event)
    """Set it to end the run in good order."""
    heartbeat: Heartbeat = field(default_factory=Silence)
    audience: Audience = field(default_factory=Nobody)
    """Looks on, and may have to agree before frames are read."""
    max_frames: int | None = None
    """End after so many processed frames."""
