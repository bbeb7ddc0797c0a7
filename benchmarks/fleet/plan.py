"""How large the fleet is and what it does."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    """One measurement."""

    devices: int
    workers: int
    """Processes that the devices share."""
    steady_s: float
    """Seconds of work before the broker goes away, and again after everybody is back."""
    down_s: float
    """Seconds without a broker."""
    event_every_s: float
    """Of one device."""
    observation_every_s: float
    """Of one device; 0 = none."""

    def share(self, worker: int) -> range:
        """Numbers of the devices of one worker."""
        return range(worker, self.devices, self.workers)


def device_id(number: int) -> str:
    """Name a simulated device."""
    return f"device-{number:05d}"
