"""Installing, activating and going back: what changes, and what is refused."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from edge_runtime.bundle import MODEL_FILE, builtin_bundle_path, load_bundle
from edge_runtime.errors import BundleError, ContractError, SignatureError, StoreError
from edge_runtime.model_store.changes import Changer
from edge_runtime.model_store.layout import SHIPPED, Choice, ModelStore
from tests.model_store.signing import Signer
from tests.model_store.stores import TINY, changer, doubted, emodel, in_use, is_whole
from tests.tiny_bundles import emotion_bundle, flipped, keypoint_bundle, write_zip

OURS = Signer()
SHIPPED_VERSION = load_bundle(builtin_bundle_path("emotion")).manifest.version
SHIPPED_EMOTION = f"emotion-resnet-{SHIPPED_VERSION}"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Where the store will be."""
    return tmp_path / "state" / "models"


def active_file(root: Path) -> Path:
    return root / "emotion" / "active.json"


@pytest.mark.parametrize("form", ["folder", "zip"])
def test_an_installed_bundle_is_active_and_whole(form: str, root: Path, tmp_path: Path) -> None:
    bundle = emotion_bundle()
    source = bundle.write_folder(tmp_path / "b") if form == "folder" else bundle.write_zip(tmp_path / "b.emodel")

    change = changer(root).install(source)

    assert (change.kind, change.label) == ("emotion", f"{TINY}-1.2.3")
    assert change.choice == Choice(active=f"{TINY}-1.2.3", previous=SHIPPED)
    assert in_use(root) == f"{TINY}-1.2.3"
    assert load_bundle(root / "emotion" / change.label).files == bundle.files()
    assert list((root / "staging").iterdir()) == []


def test_kinds_have_their_own_active_bundle(root: Path, tmp_path: Path) -> None:
    one = changer(root)

    one.install(emodel(tmp_path, "1.0.0"))
    one.install(keypoint_bundle().write_zip(tmp_path / "k.emodel"))

    assert one.store.choice("emotion").active == f"{TINY}-1.0.0"
    assert one.store.choice("keypoints").active == "tiny-keypoints-1.2.3"
    assert one.store.choice("faces") == Choice()


def test_a_higher_version_takes_over_and_one_step_leads_back(root: Path, tmp_path: Path) -> None:
    one = changer(root)
    one.install(emodel(tmp_path, "1.9.0"))
    one.install(emodel(tmp_path, "1.10.0"))

    back = one.roll_back("emotion")

    assert back.label == f"{TINY}-1.10.0"
    assert back.choice == Choice(active=f"{TINY}-1.9.0", previous=None)
    with pytest.raises(StoreError, match=rf"no emotion model to go back to, {TINY}-1\.9\.0 is active and nothing was"):
        one.roll_back("emotion")
    assert in_use(root) == f"{TINY}-1.9.0"


def test_the_first_one_goes_back_to_the_shipped_one(root: Path, tmp_path: Path) -> None:
    one = changer(root)
    one.install(emodel(tmp_path, "1.0.0"))

    one.roll_back("emotion")

    assert in_use(root) == SHIPPED_EMOTION


def test_nothing_to_go_back_to_in_a_store_that_is_not_there(root: Path) -> None:
    with pytest.raises(StoreError, match="no emotion model to go back to, shipped is active"):
        changer(root).roll_back("emotion")


def test_no_activate_installs_only(root: Path, tmp_path: Path) -> None:
    one = changer(root)

    change = one.install(emodel(tmp_path, "1.0.0"), activate=False)

    assert change.choice == Choice()
    assert in_use(root) == SHIPPED_EMOTION
    assert one.activate(TINY).choice.active == f"{TINY}-1.0.0"


@pytest.mark.parametrize(
    ("wanted", "label"), [(TINY, f"{TINY}-1.10.0"), (f"{TINY}@1.9.0", f"{TINY}-1.9.0"), ("emotion-resnet", SHIPPED)]
)
def test_activate_takes_a_version_or_the_highest(wanted: str, label: str, root: Path, tmp_path: Path) -> None:
    one = changer(root)
    for version in ("1.9.0", "1.10.0", "1.10.1"):
        one.install(emodel(tmp_path, version))
    shutil.rmtree(root / "emotion" / f"{TINY}-1.10.1")

    change = one.activate(wanted)

    assert change.choice == Choice(active=label, previous=f"{TINY}-1.10.1")


@pytest.mark.parametrize("wanted", ["", "nothing", f"{TINY}@9.9.9", f"{TINY}@", "../x", "@1.0.0"])
def test_activate_of_what_is_not_there_names_what_is(wanted: str, root: Path) -> None:
    with pytest.raises(
        StoreError, match=rf"no model {re.escape(wanted)}; there are .*emotion-resnet@{re.escape(SHIPPED_VERSION)}"
    ):
        changer(root).activate(wanted)


def test_the_same_bundle_twice_changes_nothing(root: Path, tmp_path: Path) -> None:
    one = changer(root)
    first = one.install(emodel(tmp_path, "1.0.0"))
    written = active_file(root).stat().st_ino

    again = one.install(emodel(tmp_path, "1.0.0"))

    assert again == first
    assert active_file(root).stat().st_ino == written


@pytest.mark.parametrize("version", ["1.9.0", "0.0.1", "1.10.0-rc.1"])
def test_a_lower_version_is_refused_unless_it_is_wanted(version: str, root: Path, tmp_path: Path) -> None:
    one = changer(root)
    one.install(emodel(tmp_path, "1.10.0"))
    lower = emodel(tmp_path, version)

    with pytest.raises(ContractError) as refused:
        one.install(lower)

    assert str(refused.value) == (
        f"{lower}: version {version} of {TINY}, expected one above 1.10.0, which is there; give it a higher "
        f"version, or say --allow-downgrade"
    )
    assert one.install(lower, allow_downgrade=True).choice.active == f"{TINY}-{version}"


def test_installing_an_old_version_again_is_a_step_down_too(root: Path, tmp_path: Path) -> None:
    one = changer(root)
    old = emodel(tmp_path, "1.0.0")
    one.install(old)
    one.install(emodel(tmp_path, "2.0.0"))

    with pytest.raises(ContractError, match=r"expected one above 2\.0\.0"):
        one.install(old)

    assert in_use(root) == f"{TINY}-2.0.0"


def test_a_damaged_installed_version_still_counts_as_the_highest(root: Path, tmp_path: Path) -> None:
    one = changer(root)
    one.install(emodel(tmp_path, "2.0.0"))
    (root / "emotion" / f"{TINY}-2.0.0" / MODEL_FILE).write_bytes(b"")

    with pytest.raises(ContractError, match=r"expected one above 2\.0\.0"):
        one.install(emodel(tmp_path, "1.0.0"))


def test_a_lower_version_than_the_shipped_one_of_that_name_is_refused(root: Path, tmp_path: Path) -> None:
    older = emotion_bundle(name="emotion-resnet", version="0.0.9").write_zip(tmp_path / "o.emodel")

    with pytest.raises(ContractError, match=rf"version 0\.0\.9 .*, expected one above {re.escape(SHIPPED_VERSION)}"):
        changer(root).install(older)


def test_a_version_means_one_content(root: Path, tmp_path: Path) -> None:
    one = changer(root)
    one.install(emodel(tmp_path, "1.0.0"))
    other = emotion_bundle(version="1.0.0", created_at="2026-02-02T00:00:00Z").write_zip(tmp_path / "o.emodel")

    with pytest.raises(ContractError, match=rf"{other}: {TINY}-1\.0\.0 is installed already with other content"):
        one.install(other, allow_downgrade=True)


def test_a_damaged_installed_bundle_is_replaced_by_a_good_one(root: Path, tmp_path: Path) -> None:
    one = changer(root)
    source = emodel(tmp_path, "1.0.0")
    place = root / "emotion" / one.install(source).label
    (place / MODEL_FILE).write_bytes(b"rotten")

    one.install(source)

    assert is_whole(place)
    assert list((root / "staging").iterdir()) == []


def test_a_net_that_fails_its_self_test_changes_nothing(root: Path, tmp_path: Path) -> None:
    changer(root).install(emodel(tmp_path, "1.0.0"))
    doubting = Changer(ModelStore(root), prove=doubted)
    new = emodel(tmp_path, "2.0.0")

    with pytest.raises(BundleError, match=rf"{new}: refused by its self-test: answers otherwise than recorded"):
        doubting.install(new)

    assert in_use(root) == f"{TINY}-1.0.0"
    assert doubting.store.installed("emotion") == [f"{TINY}-1.0.0"]
    assert doubting.store.choice("emotion").previous == SHIPPED


def test_activate_and_rollback_ask_for_proof_too(root: Path, tmp_path: Path) -> None:
    one = changer(root)
    one.install(emodel(tmp_path, "1.0.0"))
    one.install(emodel(tmp_path, "2.0.0"))
    doubting = Changer(ModelStore(root), prove=doubted)

    with pytest.raises(BundleError, match="refused by its self-test"):
        doubting.activate(f"{TINY}@1.0.0")
    with pytest.raises(BundleError, match="refused by its self-test"):
        doubting.roll_back("emotion")

    assert in_use(root) == f"{TINY}-2.0.0"


def test_what_is_no_version_is_not_installed(root: Path, tmp_path: Path) -> None:
    odd = emotion_bundle(version="1.0.0.4").write_zip(tmp_path / "o.emodel")

    with pytest.raises(ContractError, match=r"version '1\.0\.0\.4': expected MAJOR\.MINOR\.PATCH"):
        changer(root).install(odd)


def test_a_bundle_for_a_newer_runtime_is_refused(root: Path, tmp_path: Path) -> None:
    newer = emotion_bundle(min_runtime_version="99.0.0").write_zip(tmp_path / "n.emodel")

    with pytest.raises(ContractError, match=r"needs emotion-edge >= 99\.0\.0, this is .*; upgrade the runtime"):
        changer(root).install(newer)


def test_a_refused_bundle_leaves_no_store_behind(root: Path, tmp_path: Path) -> None:
    files = emotion_bundle().files()
    broken = write_zip(tmp_path / "b.emodel", files | {MODEL_FILE: flipped(files[MODEL_FILE], 99)})

    with pytest.raises(BundleError, match=rf"{broken}/model\.tflite: damaged: digest"):
        changer(root).install(broken)

    assert not root.exists()


def test_with_a_key_only_what_is_signed_is_installed(root: Path, tmp_path: Path) -> None:
    one = changer(root, keys=OURS.trusted(tmp_path))

    assert one.install(emodel(tmp_path / "signed", "1.0.0", signer=OURS)).choice.active == f"{TINY}-1.0.0"
    with pytest.raises(SignatureError, match="not signed"):
        one.install(emodel(tmp_path / "unsigned", "1.1.0"))
    with pytest.raises(SignatureError, match="of other content"):
        one.install(emodel(tmp_path / "stranger", "1.2.0", signer=Signer()))
    assert in_use(root) == f"{TINY}-1.0.0"


def test_a_key_that_comes_later_asks_installed_bundles_too(root: Path, tmp_path: Path) -> None:
    changer(root).install(emodel(tmp_path, "1.0.0"))
    strict = changer(root, keys=OURS.trusted(tmp_path))
    signed = emodel(tmp_path / "signed", "1.0.0", signer=OURS)

    with pytest.raises(SignatureError, match="not signed"):
        strict.activate(TINY)
    strict.install(signed)

    assert strict.activate(TINY).choice.active == f"{TINY}-1.0.0"


def test_a_folder_that_holds_another_bundle_than_its_name_says_is_refused(root: Path, tmp_path: Path) -> None:
    one = changer(root)
    one.install(emodel(tmp_path, "1.0.0"))
    one.install(emodel(tmp_path, "2.0.0"))
    shutil.rmtree(root / "emotion" / f"{TINY}-2.0.0")
    shutil.copytree(root / "emotion" / f"{TINY}-1.0.0", root / "emotion" / f"{TINY}-2.0.0")

    with pytest.raises(BundleError, match=rf"holds {TINY}-1\.0\.0, expected {TINY}-2\.0\.0; install .* again"):
        one.activate(f"{TINY}@2.0.0")
    with pytest.raises(BundleError, match=rf"holds {TINY}-1\.0\.0"):
        in_use(root)
