"""What a run takes from outside itself: time, the wish to stop, and who listens or looks on."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from edge_runtime.audience import Audience, Nobody
from edge_runtime.clock import SystemClock
from edge_runtime.commands import Inbox
from edge_runtime.heartbeat import Heartbeat, Silence
from edge_runtime.interfaces import Clock
from edge_runtime.settings import Config


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
    inbox: Inbox = field(default_factory=Inbox)
    """What is asked of the main loop while it runs."""
    load: Callable[[], Config] | None = None
    """Loads the configuration again, ConfigError when it is wrong; None = a reload is refused."""
    in_use: Callable[[Config], None] = lambda _config: None
    """Hears which configuration is in use, at the start and after every reload."""
