"""The gate between the camera and the nets: closed until somebody agrees."""

from __future__ import annotations

import threading

from edge_runtime.settings import Web


class ConsentGate:
    """Opened and closed by people on the page, or by time; asked by the frame loop."""

    def __init__(self, settings: Web) -> None:
        """Begin closed where consent is needed, open for ever where it is not."""
        self.needed = settings.consent_gate
        self._idle_s = settings.consent_idle_s
        self._open = threading.Event()
        self._face_at: float | None = None
        if not self.needed:
            self._open.set()

    @property
    def is_open(self) -> bool:
        """Whether frames may be processed."""
        return self._open.is_set()

    def answer(self, *, agreed: bool) -> None:
        """Take a person's answer; without a gate there is nothing to answer."""
        if not self.needed:
            return
        self._face_at = None
        if agreed:
            self._open.set()
        else:
            self._open.clear()

    def wait(self, timeout_s: float) -> bool:
        """Wait until it is open; False when the time is over."""
        return self._open.wait(timeout_s)

    def saw(self, faces: int, at: float) -> None:
        """Close after `consent_idle_s` without a face: who comes next is asked again.

        Args:
            faces: in the frame that was just processed.
            at: seconds on a clock that does not step.
        """
        if not (self.needed and self._idle_s):
            return
        if faces or self._face_at is None:
            self._face_at = at
        elif at - self._face_at >= self._idle_s:
            self.answer(agreed=False)
