"""Which bundle runs, and what a start does when the activated one is bad."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from edge_runtime.__main__ import main
from edge_runtime.bundle import MODEL_FILE, builtin_bundle_path
from edge_runtime.config import load_config
from edge_runtime.errors import BundleError, ConfigError, SignatureError
from edge_runtime.model_store.layout import SHIPPED, Choice, ModelStore
from edge_runtime.model_store.opening import load_chosen, place_of, place_of_faces, settle
from edge_runtime.settings import Config, Detector, Models
from edge_runtime.wiring import open_bundle, open_detector
from tests.model_store.signing import Signer
from tests.model_store.stores import TINY, changer, emodel, in_use
from tests.test_config import NOTHING
from tests.tiny_bundles import emotion_bundle
from tests.tiny_tflite import TinyModel

OURS = Signer()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Hold 1.0.0 and, active, 2.0.0."""
    one = changer(tmp_path / "models")
    for version in ("1.0.0", "2.0.0"):
        one.install(emodel(tmp_path, version))
    return tmp_path / "models"


def config(root: Path, **overrides: object) -> Config:
    settings: dict[str, Any] = {"models.store": str(root)}
    return load_config(
        NOTHING, overrides=settings | {key.replace("__", "."): value for key, value in overrides.items()}
    )


def folder(root: Path, version: str) -> Path:
    return root / "emotion" / f"{TINY}-{version}"


def spoil(root: Path, version: str) -> None:
    (folder(root, version) / MODEL_FILE).write_bytes(b"spoilt")


def put_wrong_net(root: Path, version: str) -> None:
    """Put a bundle that is whole, but answers otherwise than recorded, where the active one is."""
    bundle = emotion_bundle(version=version)
    wrong = {MODEL_FILE: TinyModel(weights=TinyModel().weights * 7).to_bytes()}
    for name, content in (type(bundle)(bundle.model, bundle.manifest, bundle.labels, wrong)).files().items():
        (folder(root, version) / name).write_bytes(content)


def test_a_setting_wins_over_the_store_and_the_store_over_what_is_shipped(root: Path, tmp_path: Path) -> None:
    mine = emotion_bundle(version="7.7.7").write_folder(tmp_path / "mine")
    activated = Models(store=str(root))

    assert place_of("emotion", Models(store=str(root), emotion=str(mine))).origin == "configured"
    assert place_of("emotion", activated).path == folder(root, "2.0.0")
    assert place_of("keypoints", activated).origin == "shipped"
    assert place_of("emotion", Models(store="")).path == builtin_bundle_path("emotion")
    assert open_bundle("emotion", activated).manifest.version == "2.0.0"


def test_a_store_that_is_not_there_changes_nothing(tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere"

    assert place_of("emotion", Models(store=str(nowhere))).origin == "shipped"
    assert settle(config(nowhere)).problems == {}
    assert not nowhere.exists()


def test_the_faces_net_comes_from_the_store_too(tmp_path: Path) -> None:
    one = changer(tmp_path / "models")
    shipped = builtin_bundle_path("faces")
    models = Models(store=str(tmp_path / "models"))
    wide = place_of_faces(Detector(search_width_px=640), models)
    one.store.root.mkdir()
    with one.store.locked():
        label = "faces-pyramid-" + load_chosen("faces", wide, models).manifest.version
        one.store.adopt(one.store.stage(label, {p.name: p.read_bytes() for p in shipped.iterdir()}), "faces")
        one.store.choose("faces", Choice(active=label))

    assert wide.path.name == "faces-large"
    assert place_of_faces(Detector(search_width_px=640), models).origin == "activated"
    assert open_detector(Detector(), models).name == "faces"
    assert settle(config(tmp_path / "models")).config.detector.model == str(tmp_path / "models" / "faces" / label)


def test_good_activated_bundles_are_named_for_the_run(root: Path) -> None:
    settled = settle(config(root))

    assert settled.problems == {}
    assert settled.config.models.emotion == str(folder(root, "2.0.0"))
    assert settled.config.models.keypoints == ""
    assert settled.config.models.store == ""


@pytest.mark.parametrize("spoilt", [spoil, put_wrong_net], ids=["damaged", "wrong answers"])
def test_a_bad_active_bundle_goes_back_to_the_previous_one_for_good(
    spoilt: Any,  # noqa: ANN401
    root: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    spoilt(root, "2.0.0")

    settled = settle(config(root))

    assert settled.config.models.emotion == str(folder(root, "1.0.0"))
    assert settled.problems["emotion"].startswith(f"emotion model {TINY}-2.0.0 went back to {TINY}-1.0.0: ")
    assert settled.problems["emotion"] in caplog.text
    assert ModelStore(root).choice("emotion") == Choice(active=f"{TINY}-1.0.0", previous=None)
    assert settle(config(root)).problems == {}


def test_when_the_previous_one_is_bad_too_the_shipped_one_runs(root: Path) -> None:
    spoil(root, "2.0.0")
    put_wrong_net(root, "1.0.0")

    settled = settle(config(root))

    assert settled.config.models.emotion == ""
    assert f"went back to {SHIPPED}" in settled.problems["emotion"]
    assert in_use(root).startswith("emotion-resnet-")


def test_a_damaged_pointer_lets_the_shipped_one_run_and_is_told(root: Path) -> None:
    (root / "emotion" / "active.json").write_bytes(bytes(40))

    settled = settle(config(root))

    assert settled.config.models.emotion == ""
    assert settled.problems["emotion"].startswith("the shipped emotion model runs: ")


def test_a_store_in_use_by_another_process_keeps_no_service_from_running(
    root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    spoil(root, "2.0.0")

    with ModelStore(root).locked():
        settled = settle(config(root))

    assert settled.config.models.emotion == str(folder(root, "1.0.0"))
    assert "lasts until the next start only: " in caplog.text
    assert ModelStore(root).choice("emotion").active == f"{TINY}-2.0.0"


def test_what_is_configured_is_not_the_stores_business(root: Path, tmp_path: Path) -> None:
    mine = emotion_bundle().write_folder(tmp_path / "mine")
    spoil(root, "2.0.0")

    settled = settle(config(root, models__emotion=str(mine)))

    assert settled.problems == {}
    assert settled.config.models.emotion == str(mine)


def test_an_active_bundle_that_nobody_signed_goes_back_where_a_key_is_configured(root: Path, tmp_path: Path) -> None:
    key = OURS.write_public_key(tmp_path / "k.pub")

    settled = settle(config(root, models__public_key_file=str(key)))

    assert "not signed" in settled.problems["emotion"]
    assert settled.config.models.emotion == ""


def test_a_configured_bundle_must_be_signed_too_and_the_shipped_ones_need_not(tmp_path: Path) -> None:
    mine = emotion_bundle().write_folder(tmp_path / "mine")
    models = Models(emotion=str(mine), public_key_file=str(OURS.write_public_key(tmp_path / "k.pub")))

    assert open_bundle("keypoints", models).manifest.kind == "keypoints"
    with pytest.raises(SignatureError, match=rf"{mine}: not signed"):
        open_bundle("emotion", models)


def test_a_key_file_that_is_not_there_is_a_wrong_configuration(root: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot read the public key"):
        settle(config(root, models__public_key_file=str(tmp_path / "none.pub")))


def test_without_a_start_a_bad_active_bundle_is_told_and_stays(root: Path) -> None:
    spoil(root, "2.0.0")

    with pytest.raises(BundleError, match="damaged: digest"):
        open_bundle("emotion", Models(store=str(root)))

    assert ModelStore(root).choice("emotion").active == f"{TINY}-2.0.0"


def test_a_run_goes_on_with_the_previous_one_and_says_so_in_events_and_status(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spoil(root, "2.0.0")
    settings = tmp_path / "config.toml"
    settings.write_text(f'[models]\nstore = "{root}"\n', encoding="utf-8")

    code = main(["run", "--config", str(settings), "--source", "demo", "--max-frames", "1", "--format", "json"])

    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    events = [line["message"] for line in told if line.get("event_type") == "system"]
    running = next(line for line in told if line.get("state") == "degraded")
    assert code == 0
    assert [message.partition(":")[0] for message in events] == [
        f"emotion model {TINY}-2.0.0 went back to {TINY}-1.0.0"
    ]
    assert running["reasons"] == events
    assert running["models"]["emotion"] == f"{TINY} 1.0.0"
