"""Pictures of a folder in the order of their names, as if filmed at a steady rate."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from edge_runtime.datatypes import Frame
from edge_runtime.errors import SourceError

if TYPE_CHECKING:
    from typing_extensions import Self

logger = logging.getLogger(__name__)

SUFFIXES: Final = (".bmp", ".jpeg", ".jpg", ".pgm", ".png", ".tif", ".tiff", ".webp")
"""What counts as a picture; every other file of the folder is passed over in silence."""


class PictureFolder:
    """A folder of pictures, or one picture."""

    def __init__(self, path: Path, *, fps: float) -> None:
        """Remember where they are and at which rate they count as filmed.

        Raises:
            SourceError: OpenCV is not installed.
        """
        self.name = str(path)
        self.live = False
        self.skipped = 0
        """Pictures that could not be read, since the source was opened."""
        self._path = path
        self._fps = fps
        self._pictures: list[Path] | None = None
        try:
            import cv2
        except ImportError as error:
            raise SourceError(f"{path}: pictures need OpenCV: pip install 'opencv-python-headless'") from error
        self._cv2: Any = cv2

    def __enter__(self) -> Self:
        """List the folder; SourceError when there is no picture in it."""
        self.skipped = 0
        self._pictures = self._listed()
        if not self._pictures:
            raise SourceError(f"{self.name}: no pictures; expected files that end in {', '.join(SUFFIXES)}")
        return self

    def __exit__(self, *exc: object) -> None:
        """Forget the list."""
        self._pictures = None

    def frames(self) -> Iterator[Frame]:
        """Yield every readable picture; the i-th file has the time i / fps, also when one before it was unreadable."""
        if self._pictures is None:
            raise SourceError(f"{self.name}: frames() outside `with`; open the source first")
        total = len(self._pictures)
        for position, path in enumerate(self._pictures):
            pixels = self._read(path)
            if pixels is None:
                self._skip(path)
            else:
                yield Frame(position - self.skipped, position / self._fps, pixels)
        if self.skipped == total:
            raise SourceError(f"{self.name}: none of {total} pictures can be read; are they complete?")
        if self.skipped:
            logger.warning("%s: %d of %d pictures could not be read", self.name, self.skipped, total)

    def _listed(self) -> list[Path]:
        if self._path.is_file():
            return [self._path]
        try:
            return sorted(path for path in self._path.iterdir() if path.suffix.lower() in SUFFIXES and path.is_file())
        except OSError as error:
            raise SourceError(f"{self.name}: cannot list the folder ({error.strerror}); check the path") from error

    def _read(self, path: Path) -> NDArray[np.uint8] | None:
        try:
            encoded = np.fromfile(path, dtype=np.uint8)
        except OSError:
            return None
        if encoded.size == 0:  # OpenCV raises on nothing and returns None on nonsense
            return None
        try:
            pixels = self._cv2.imdecode(encoded, self._cv2.IMREAD_GRAYSCALE)
        except self._cv2.error:  # it claims more pixels than OpenCV decodes
            return None
        return None if pixels is None else np.asarray(pixels, dtype=np.uint8)

    def _skip(self, path: Path) -> None:
        self.skipped += 1
        logger.debug("%s: skipped, not a picture that OpenCV can read", path)
