"""From settings to parts: what a configuration leaves open, and which back-end a setting means."""

from __future__ import annotations

from pathlib import Path

import pytest

import edge_runtime as er
from edge_runtime.clock import SystemClock
from edge_runtime.config import load_config
from edge_runtime.errors import ConfigError, ContractError, DetectorError, SourceError
from edge_runtime.settings import Detector, Models, Policy
from edge_runtime.wiring import (
    Pipeline,
    open_bundle,
    open_detector,
    open_sinks,
    open_source,
    resolved_policy,
    thresholds_of,
    tracker_of,
)
from tests.detectors.cascades import HAVE_CASCADES
from tests.scene import picture, unwritten
from tests.sources.pictures import write_folder
from tests.test_config import NOTHING
from tests.tiny_bundles import emotion_bundle

BUNDLE = unwritten(emotion_bundle())  # enter 0.6, exit 0.4, window 0


def test_what_the_configuration_leaves_open_comes_from_the_bundle() -> None:
    policy = resolved_policy(Policy(), BUNDLE)

    assert (policy.enter, policy.exit, policy.window_s) == (0.6, 0.4, 0.0)
    assert policy.hold_s == Policy().hold_s


def test_what_the_configuration_says_wins_over_the_bundle_also_when_it_is_zero() -> None:
    policy = resolved_policy(Policy(enter=0.9, exit=0.0, window_s=1.5), BUNDLE)

    assert (policy.enter, policy.exit, policy.window_s) == (0.9, 0.0, 1.5)


def test_an_exit_above_the_enter_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"policy\.exit = 0\.4: expected at most policy\.enter = 0\.3"):
        resolved_policy(Policy(enter=0.3), BUNDLE)


def test_the_event_policy_gets_the_resolved_thresholds() -> None:
    thresholds = thresholds_of(resolved_policy(Policy(min_frames=7, hold_s=2.0), BUNDLE))

    assert (thresholds.enter, thresholds.exit, thresholds.min_frames, thresholds.hold_s) == (0.6, 0.4, 7, 2.0)


def test_a_configured_bundle_takes_the_place_of_the_shipped_one(tmp_path: Path) -> None:
    mine = emotion_bundle().write_folder(tmp_path / "mine")

    assert open_bundle("emotion", Models(emotion=str(mine))).manifest.name == "tiny-emotion"
    with pytest.raises(ContractError, match="kind is emotion, but this runtime expects keypoints"):
        open_bundle("keypoints", Models(keypoints=str(mine)))


def test_the_shipped_chain_reads_a_frame(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "pictures", [picture()] * 2)

    with open_source(str(folder)) as source, Pipeline.from_config(load_config(NOTHING)) as pipeline:
        found = [pipeline.process(frame) for frame in source.frames()]

    assert [observation.faces for observation in found] == [(), ()]
    assert pipeline.parts.policy.enter is not None


@pytest.mark.parametrize(("uri", "live"), [("camera:0", True), ("demo", False), ("rtsp://127.0.0.1/x", True)])
def test_cameras_are_live_and_clips_are_not(uri: str, *, live: bool) -> None:
    assert open_source(uri).live is live


def test_a_source_that_is_nothing_known_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="none"):
        open_source(str(tmp_path / "none.mp4"))


def test_a_detector_without_its_file_is_refused(tmp_path: Path) -> None:
    assert open_detector(Detector()).name == "faces"
    if HAVE_CASCADES:
        assert open_detector(Detector(kind="haar")).name.startswith("haar")
    with pytest.raises(DetectorError, match=r"none\.onnx"):
        open_detector(Detector(kind="yunet", model=str(tmp_path / "none.onnx")))
    with pytest.raises(DetectorError, match=r"detector\.model is empty, and YuNet's file is not shipped; give"):
        open_detector(Detector(kind="yunet"))


def test_there_is_one_sink_per_place_that_is_configured(tmp_path: Path) -> None:
    def names(**overrides: object) -> int:
        config = load_config(NOTHING, overrides={key.replace("__", "."): value for key, value in overrides.items()})
        return len(open_sinks(config, SystemClock(), live=False))

    log = str(tmp_path / "events.jsonl")
    assert names() == 1
    assert names(console__enabled=False) == 0
    assert names(log__file=log) == 2
    assert names(log__file=log, mqtt__host="127.0.0.1") == 3
    assert list(tmp_path.iterdir()) == []  # nothing is opened before `with`


@pytest.mark.parametrize("name", er.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(er, name) is not None


def test_a_name_that_is_not_there_says_what_is() -> None:
    with pytest.raises(AttributeError, match=r"no attribute 'Pipelin'; it has .*Pipeline"):
        _ = er.Pipelin


def test_in_a_single_picture_a_face_counts_at_its_first_detection_and_in_a_folder_it_does_not(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "pictures", [picture()] * 2)

    def hits(uri: str) -> int:
        return tracker_of(load_config(NOTHING, overrides={"source.uri": uri})).min_hits

    assert hits(str(folder / "000.png")) == 1
    assert [hits(uri) for uri in (str(folder), "demo", "camera", str(tmp_path / "none.png"))] == [2, 2, 2, 2]


def test_the_shipped_chain_finds_the_face_of_a_single_picture(tmp_path: Path) -> None:
    with open_source("demo") as demo:
        shown = next(iter(demo.frames())).pixels
    uri = str(write_folder(tmp_path / "pictures", [shown]) / "000.png")

    with open_source(uri) as source, Pipeline.from_config(load_config(overrides={"source.uri": uri})) as pipeline:
        (seen,) = [pipeline.process(frame) for frame in source.frames()]

    assert len(seen.faces) == 1
