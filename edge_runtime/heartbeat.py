"""Who hears how the service is. systemd is one listener, silence another."""

from __future__ import annotations

from typing import Protocol


class Heartbeat(Protocol):
    """Hears signs of life."""

    def ready(self) -> None:
        """Configuration, models and loop are up."""
        ...

    def alive(self) -> None:
        """The main loop turned once more."""
        ...

    def status(self, text: str) -> None:
        """One line for a person."""
        ...

    def reloading(self) -> None:
        """The configuration is being loaded again; `ready` follows, whether it can be used or not."""
        ...

    def stopping(self) -> None:
        """The end was asked for."""
        ...


class Silence:
    """Nobody listens."""

    def ready(self) -> None:
        """Say nothing."""

    def alive(self) -> None:
        """Say nothing."""

    def status(self, text: str) -> None:
        """Say nothing."""

    def stopping(self) -> None:
        """Say nothing."""

    def reloading(self) -> None:
        """Say nothing."""
