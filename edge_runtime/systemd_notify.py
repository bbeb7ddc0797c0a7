"""Tells systemd how the service is: READY, RELOADING, WATCHDOG, STATUS, STOPPING. Silent where nobody listens.

Source: sd_notify(3): datagrams of VARIABLE=value lines to the socket that NOTIFY_SOCKET names.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Mapping

_READY_WAIT_S = 5.0
"""READY is said once and waits for room in the manager's queue; other messages are said again soon."""


class Notifier:
    """Sends to the service manager that started this process."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        """Take the socket's name and the watchdog's period from the environment systemd gives."""
        address = environment.get("NOTIFY_SOCKET", "")
        # A leading @ stands for the abstract namespace.
        self._address = "\0" + address[1:] if address.startswith("@") else address
        period_us = environment.get("WATCHDOG_USEC", "")
        self.watchdog_s = int(period_us) / 1e6 if period_us.isdigit() else None
        """A sign of life is due within this time; None = nobody watches."""

    def ready(self) -> None:
        """Say that configuration, models and loop are up."""
        self._send("READY=1", wait_s=_READY_WAIT_S)

    def alive(self) -> None:
        """Give the watchdog its sign of life."""
        if self.watchdog_s is not None:
            self._send("WATCHDOG=1")

    def status(self, text: str) -> None:
        """Show one line in `systemctl status`."""
        self._send(f"STATUS={' '.join(text.splitlines())}")  # a second line would be another variable

    def reloading(self) -> None:
        """Say that the configuration is being loaded again; the time tells systemd which `ready` ends it."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}", wait_s=_READY_WAIT_S)

    def stopping(self) -> None:
        """Say that the end was asked for."""
        self._send("STOPPING=1")

    def _send(self, message: str, *, wait_s: float = 0.0) -> None:
        if not self._address:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
            channel.settimeout(wait_s)  # a manager that does not read must not hold the frame loop up
            try:
                channel.sendto(message.encode(), self._address)
            except OSError:
                # The manager is gone or its socket is full; the next message comes soon.
                return
