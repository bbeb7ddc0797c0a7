"""What every status says of the device itself."""

from __future__ import annotations

import cv2
import pytest

from edge_runtime.settings import Config, Detector
from edge_runtime.speaker import about_of, identity_of
from edge_runtime.testing import FakeSource
from edge_runtime.wiring import Pipeline


def named(config: Config) -> dict[str, str]:
    """Return the nets that a status names, by kind."""
    with Pipeline.from_config(config) as pipeline:
        return about_of(identity_of(config, pipeline, FakeSource([]), "boot"), pipeline).models


def test_every_net_is_named() -> None:
    models = named(Config())

    assert set(models) == {"keypoints", "emotion", "faces"}
    assert models["faces"].startswith("faces-pyramid ")


@pytest.mark.skipif(not hasattr(cv2, "CascadeClassifier"), reason="OpenCV 5 has no cascades")
def test_a_detector_without_a_bundle_has_no_net_to_name() -> None:
    assert set(named(Config(detector=Detector(kind="haar")))) == {"keypoints", "emotion"}
