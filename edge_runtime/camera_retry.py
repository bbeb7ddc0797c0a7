"""When a broken camera is opened again, and when it is given up: pauses that double, and a count. No clocks, no I/O."""

from __future__ import annotations

from edge_runtime.errors import CameraFrozenError, CameraHungError, SourceError
from edge_runtime.settings import Service


class CameraRetry:
    """Counts failures in a row. A camera that gave new pictures in between begins anew."""

    def __init__(self, settings: Service) -> None:
        """Begin with no failure."""
        self.failures = 0
        """In a row."""
        self._settings = settings
        self._pause_s = settings.camera_retry_s

    def pause_after(self, error: SourceError, *, frames: int) -> float:
        """Return how long to wait before the camera is opened again, seconds.

        Args:
            error: what broke it.
            frames: processed since it was opened.

        Raises:
            SourceError: the camera is given up; exit code 4, so that a service manager starts the program anew.
        """
        # A camera that froze before its picture ever changed has shown nothing new.
        if frames and not (isinstance(error, CameraFrozenError) and not error.has_moved):
            self.failures, self._pause_s = 0, self._settings.camera_retry_s
        self.failures += 1
        if isinstance(error, CameraHungError):
            raise error
        if self.failures == self._settings.camera_give_up:
            raise SourceError(
                f"{error}; given up after {self.failures} failures in a row (service.camera_give_up)"
            ) from error
        pause_s, self._pause_s = self._pause_s, min(2 * self._pause_s, self._settings.camera_retry_max_s)
        return pause_s
