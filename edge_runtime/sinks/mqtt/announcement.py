"""What is said of this device on every connection, and again when Home Assistant has started."""

from __future__ import annotations

from collections import deque

from edge_runtime.sinks.mqtt.connection import Connection
from edge_runtime.sinks.mqtt.discovery import discovery_payload, discovery_topic
from edge_runtime.sinks.mqtt.options import Options
from edge_runtime.sinks.mqtt.topics import AVAILABILITY, ONLINE


class Announcement:
    """Availability and, for Home Assistant, the description. Belongs to the publisher's thread."""

    def __init__(self, options: Options) -> None:
        """Nothing is to be said yet."""
        self._options = options
        self._parts = ("availability", "description") if options.settings.discovery_prefix else ("availability",)
        self._unsaid: deque[str] = deque()

    @property
    def is_said(self) -> bool:
        """Whether nothing of it waits for the broker."""
        return not self._unsaid

    def begin(self) -> None:
        """Have all of it said once more, from the start."""
        self._unsaid = deque(self._parts)

    def turn(self, connection: Connection) -> None:
        """Say what waits while the broker has room: it may take one message before it acknowledges it."""
        while self._unsaid and connection.room > 0:
            if self._unsaid.popleft() == "availability":
                connection.publish(AVAILABILITY, ONLINE, schema=None)
            else:
                connection.publish_elsewhere(discovery_topic(self._options), discovery_payload(self._options))
