"""The store's folder: one writer, damaged pointers, leftovers, links, foreign owners."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from edge_runtime.bundle import MODEL_FILE
from edge_runtime.errors import BundleError, ContractError, ModelError, SignatureError, StoreError
from edge_runtime.model_store.layout import ModelStore
from tests.model_store.stores import TINY, changer, emodel, in_use


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Where the store will be."""
    return tmp_path / "state" / "models"


def active_file(root: Path) -> Path:
    return root / "emotion" / "active.json"


def test_two_at_once_do_not_mix(root: Path, tmp_path: Path) -> None:
    one = changer(root)
    source = emodel(tmp_path, "1.0.0")

    with (
        ModelStore(root).locked(),
        pytest.raises(StoreError, match="another process is changing the store; try again when it is done"),
    ):
        one.install(source)

    assert one.install(source).choice.active == f"{TINY}-1.0.0"


@pytest.mark.parametrize("content", [b"", b"{", b'"x"', b'{"active": "../../etc"}', b'{"previous": "x"}', b"\xff" * 9])
def test_a_damaged_pointer_is_named_and_the_next_change_mends_it(content: bytes, root: Path, tmp_path: Path) -> None:
    one = changer(root)
    one.install(emodel(tmp_path, "1.0.0"))
    active_file(root).write_bytes(content)

    with pytest.raises(StoreError, match=r"active\.json: .*; name one with `emotion-edge model activate`"):
        one.store.choice("emotion")
    one.activate(TINY)

    assert in_use(root) == f"{TINY}-1.0.0"


def test_leftovers_of_a_change_that_was_cut_short_are_removed(root: Path, tmp_path: Path) -> None:
    one = changer(root)
    one.install(emodel(tmp_path, "1.0.0"))
    one.store.folder("emotion", "x").parent.joinpath("notes").mkdir()
    (root / "staging" / "half").mkdir()
    (root / "staging" / "half" / MODEL_FILE).write_bytes(b"half")

    one.activate(TINY)

    assert list((root / "staging").iterdir()) == []
    assert one.store.installed("emotion") == [f"{TINY}-1.0.0"]


def test_a_staging_folder_that_leads_elsewhere_is_not_followed(root: Path, tmp_path: Path) -> None:
    one = changer(root)
    one.install(emodel(tmp_path, "1.0.0"))
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").touch()
    (root / "staging").rmdir()
    (root / "staging").symlink_to(precious)

    one.install(emodel(tmp_path, "2.0.0"))

    assert (precious / "file").exists()
    assert in_use(root) == f"{TINY}-2.0.0"


def test_a_store_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(StoreError, match=r"file.*: .*choose another folder in models\.store"):
        changer(tmp_path / "file" / "models").install(emodel(tmp_path, "1.0.0"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_root_leaves_the_services_store_alone(root: Path, tmp_path: Path) -> None:
    root.mkdir(parents=True)
    os.chown(root, 1, 1)

    with pytest.raises(
        StoreError, match=r"belongs to daemon and this is root.*put `sudo -u daemon` before the command"
    ):
        changer(root).install(emodel(tmp_path, "1.0.0"))

    assert list(root.iterdir()) == []


def test_every_refusal_ends_the_command_with_code_5() -> None:
    assert {error.exit_code for error in (BundleError, ContractError, ModelError, SignatureError, StoreError)} == {5}
