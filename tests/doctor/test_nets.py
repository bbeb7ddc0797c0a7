"""The nets that `check` names are those that `run` uses."""

from __future__ import annotations

import pytest

from edge_runtime.doctor.nets import look
from edge_runtime.settings import Config, Detector, Models
from edge_runtime.wiring import faces_bundle
from tests.doctor.machines import only

NO_STORE = Models(store="")


@pytest.mark.parametrize("width_px", [160, 320, 640])
def test_the_faces_net_is_the_one_that_the_configuration_chooses(width_px: int) -> None:
    config = Config(models=NO_STORE, detector=Detector(search_width_px=width_px))
    used = faces_bundle(config.detector, config.models).manifest

    assert only(look(config), "faces").found.startswith(f"{used.name} {used.version} ")


def test_a_faces_bundle_that_the_configuration_names_and_that_is_not_there_is_a_failure() -> None:
    missing = only(look(Config(models=NO_STORE, detector=Detector(model="none"))), "faces")

    assert (missing.state, missing.exit_code) == ("failed", 5)
    assert missing.found.startswith("none: ")


def test_without_the_faces_detector_its_net_is_not_looked_at() -> None:
    found = look(Config(models=NO_STORE, detector=Detector(kind="haar")))

    assert [finding.subject for finding in found] == ["keypoints", "emotion", "detector"]
