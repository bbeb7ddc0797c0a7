"""Which tests need OpenCV 4: OpenCV 5 has no Haar cascades."""

from __future__ import annotations

import cv2
import pytest

HAVE_CASCADES = hasattr(cv2, "CascadeClassifier")

needs_cascades = pytest.mark.skipif(
    not HAVE_CASCADES, reason=f"OpenCV {cv2.__version__} has no Haar cascades; the detector says so, see test_haar.py"
)
