"""The verb `model` as a person or a fleet's tool uses it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edge_runtime.__main__ import main
from edge_runtime.bundle import MODEL_FILE, builtin_bundle_path, load_bundle
from edge_runtime.model_store.changes import Changer
from tests.model_store.signing import Signer
from tests.model_store.stores import TINY, changer, emodel
from tests.tiny_bundles import keypoint_bundle

OURS = Signer()
Command = Callable[..., Any]


@pytest.fixture
def model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    """Run `emotion-edge model ... --json` on a store of this test; returns what it says, or its code and error."""
    settings = tmp_path / "config.toml"
    settings.touch()

    def command(*words: object) -> Any:  # noqa: ANN401  JSON
        everywhere = ["--config", str(settings), "--store", str(tmp_path / "models"), "--json"]
        code = main(["model", *map(str, words), *everywhere])
        told = capsys.readouterr()
        return json.loads(told.out) if code == 0 else (code, told.err.strip() or json.loads(told.out))

    return command


def installed(folder: Path, *versions: str) -> Changer:
    """Fill the store without asking for proof."""
    one = changer(folder / "models")
    for version in versions:
        one.install(emodel(folder, version))
    return one


def test_the_life_of_a_model(model: Command, tmp_path: Path) -> None:
    first = model("install", emodel(tmp_path, "1.0.0"))
    second = model("install", emodel(tmp_path, "2.0.0"), "--no-activate")
    chosen = model("activate", f"{TINY}@2.0.0")
    back = model("rollback")
    again = model("rollback", "emotion")

    assert first == {
        "ok": True,
        "done": "installed",
        "kind": "emotion",
        "model": f"{TINY}-1.0.0",
        "active": f"{TINY}-1.0.0",
        "previous": "shipped",
    }
    assert (second["active"], second["previous"]) == (f"{TINY}-1.0.0", "shipped")
    assert (chosen["active"], chosen["previous"]) == (f"{TINY}-2.0.0", f"{TINY}-1.0.0")
    assert (back["done"], back["active"], back["previous"]) == ("rolled back", f"{TINY}-1.0.0", None)
    assert again[0] == 5
    assert "no emotion model to go back to" in again[1]


def test_everything_is_listed_with_what_it_is(model: Command, tmp_path: Path) -> None:
    installed(tmp_path, "1.0.0", "2.0.0")
    (tmp_path / "models" / "emotion" / f"{TINY}-1.0.0" / MODEL_FILE).unlink()

    rows = [row for row in model("list") if row["kind"] == "emotion"]

    marks = [(row["version"], row["origin"], row["in_use"], row["active"], row["previous"]) for row in rows]
    assert marks == [
        (load_bundle(builtin_bundle_path("emotion")).manifest.version, "shipped", False, False, False),
        ("1.0.0", "installed", False, False, True),
        ("2.0.0", "installed", True, True, False),
    ]
    assert "model.tflite is listed in SHA256SUMS but missing" in rows[1]["problem"]
    assert (rows[0]["problem"], rows[2]["problem"]) == ("", "")


def test_all_models_are_verified_at_once(model: Command, tmp_path: Path) -> None:
    installed(tmp_path, "1.0.0")
    well = model("verify")
    (tmp_path / "models" / "emotion" / f"{TINY}-1.0.0" / MODEL_FILE).write_bytes(b"")

    code, told = model("verify")

    assert (well["ok"], len(well["models"])) == (True, 4)
    assert (code, told["ok"]) == (5, False)
    assert [bool(row["problem"]) for row in told["models"]] == [False, False, True, False]


def test_rollback_asks_which_when_two_kinds_could(model: Command, tmp_path: Path) -> None:
    nothing = model("rollback")
    installed(tmp_path, "1.0.0").install(keypoint_bundle().write_zip(tmp_path / "k.emodel"))

    code, told = model("rollback")

    assert (nothing[0], code) == (5, 2)
    assert "no model to go back to; `emotion-edge model list` tells what is there" in nothing[1]
    assert (
        told == "emotion-edge: rollback: keypoints and emotion can go back; say which, for instance rollback keypoints"
    )


def test_a_key_is_asked_for_by_flag(model: Command, tmp_path: Path) -> None:
    key = OURS.write_public_key(tmp_path / "k.pub")
    signed, unsigned = emodel(tmp_path / "s", "1.0.0", signer=OURS), emodel(tmp_path / "u", "2.0.0")

    assert model("install", signed, "--public-key", key)["ok"]
    assert model("install", unsigned, "--public-key", key)[0] == 5
    assert model("install", signed, "--public-key", tmp_path / "none.pub")[0] == 3


def test_a_downgrade_is_a_flag(model: Command, tmp_path: Path) -> None:
    installed(tmp_path, "2.0.0")
    old = emodel(tmp_path, "1.0.0")

    assert model("install", old)[0] == 5
    assert model("install", old, "--allow-downgrade")["active"] == f"{TINY}-1.0.0"


def test_an_empty_store_setting_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["model", "install", str(emodel(tmp_path, "1.0.0")), "--store", ""])

    assert code == 5
    assert "models.store is empty: there is no store; name its folder there or with --store" in capsys.readouterr().err


def test_a_setting_that_hides_the_store_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    settings = tmp_path / "config.toml"
    mine = emodel(tmp_path, "3.0.0")
    settings.write_text(f'[models]\nemotion = "{mine}"\nstore = "{tmp_path / "models"}"\n', encoding="utf-8")

    code = main(["model", "install", str(emodel(tmp_path, "1.0.0")), "--config", str(settings)])

    assert code == 0
    assert capsys.readouterr().out == (f"emotion: {TINY}-1.0.0 installed; active: {TINY}-1.0.0, previous: shipped\n")
    assert f"the configuration names {mine} for emotion; that wins over the store" in caplog.text


def test_people_get_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    installed(tmp_path, "1.0.0")

    main(["model", "list", "--store", str(tmp_path / "models")])

    lines = capsys.readouterr().out.splitlines()
    assert [line[:12] for line in lines] == ["* keypoints ", "  emotion   ", "* emotion   ", "* faces     "]
    assert f"{TINY} 1.0.0  installed, active  " in lines[2]
