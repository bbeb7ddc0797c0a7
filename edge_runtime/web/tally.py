"""What the frame loop counts for /metrics: plain numbers that one thread writes and others read."""

from __future__ import annotations

from collections import Counter

from edge_runtime.audience import Reading
from edge_runtime.datatypes import Observation
from edge_runtime.histogram import Histogram
from edge_runtime.interfaces import Message
from edge_runtime.payloads import Event, Status


class Tally:
    """Counters since the page was opened, which a reload does anew; Prometheus takes that for a restart."""

    def __init__(self) -> None:
        """Start at zero."""
        self.processed = 0
        self.latency = Histogram()
        self.uncertain: Counter[str] = Counter()
        """Faces without an answer, by reason; one a face and frame."""
        self.faces = 0
        """In the newest frame."""
        self.events: Counter[str] = Counter()
        """Events that were written, by type."""
        self.camera_restarts: Counter[str] = Counter()
        """Cameras that were lost, by reason: one an outage, or more where the reason changes in it."""
        self._lost_by: str | None = None
        self._reading: Reading | None = None
        self._dropped_before = 0

    @property
    def dropped(self) -> int:
        """Frames that a newer one replaced before they were processed."""
        return self._dropped_before + (self._reading.dropped if self._reading else 0)

    @property
    def frames_dropped(self) -> Counter[str]:
        """Frames that were not processed, by reason."""
        others = self._reading.left_out if self._reading else {}
        return Counter({"newer_frame": self.dropped, "slowed": 0, "damaged": 0, **others})

    def reading(self, frames: Reading) -> None:
        """Count a new capture's drops on top of the old one's."""
        self._dropped_before, self._reading = self.dropped, frames

    def frame(self, seen: Observation, latency_s: float) -> None:
        """Count one processed frame."""
        self.processed += 1
        self.faces = len(seen.faces)
        self.latency.observe(latency_s)
        for face in seen.faces:
            reason = face.emotion.uncertain_reason
            if reason is not None:
                self.uncertain[reason] += 1

    def message(self, message: Message, payload: object) -> None:
        """Count an event, or a camera that is lost."""
        if isinstance(payload, Event):
            self.events[payload.event_type] += 1
        elif isinstance(payload, Status) and message.topic == "status":
            # A status is told again while the camera is gone, for instance when a sink has a problem.
            lost_by = (payload.camera_reason or "lost") if payload.camera == "lost" else None
            if lost_by not in {None, self._lost_by}:
                self.camera_restarts[str(lost_by)] += 1
            self._lost_by = lost_by
