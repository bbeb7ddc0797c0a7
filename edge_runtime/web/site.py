"""What the server serves: the page's own files, and everything its answers are made of."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Final

from edge_runtime.settings import Web
from edge_runtime.web.display import Display
from edge_runtime.web.guard import Guard
from edge_runtime.web.metrics import Metrics
from edge_runtime.web.pulse import Pulse

_TYPES: Final = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}


@dataclass(frozen=True)
class Site:
    """One server's contents; its threads share it."""

    settings: Web
    display: Display
    guard: Guard
    metrics: Metrics
    pulse: Pulse
    statics: dict[str, tuple[str, bytes]]
    """Path: content type and content."""
    closing: threading.Event = field(default_factory=threading.Event)
    """Set: every stream ends."""

    def why_not_ready(self) -> str | None:
        """Return what keeps frames from being processed now, or None."""
        if self.pulse.stalled:
            return f"the frame loop has been silent for {self.pulse.age_s:.0f} s"
        if not self.display.gate.is_open:
            return "waiting for consent"
        status = self.display.status
        if status is None or status.camera != "running":  # degraded, and frames are processed all the same
            reasons = "; ".join(status.reasons) if status else ""
            return f"{status.state if status else 'starting'}, camera {status.camera if status else 'connecting'}" + (
                f": {reasons}" if reasons else ""
            )
        return None if self.display.fps > 0 else "no frame was processed in the last two seconds"


def load_statics() -> dict[str, tuple[str, bytes]]:
    """Read the page's files from the package, so that no request ever names a file."""
    folder = files("edge_runtime").joinpath("web", "static")
    found = {}
    for entry in folder.iterdir():
        _, _, suffix = entry.name.rpartition(".")
        if suffix in _TYPES:
            found[f"/{entry.name}"] = (_TYPES[suffix], entry.read_bytes())
    found["/"] = found.pop("/index.html")
    return found
