"""What a run folder remembers, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from converter.errors import DataError, RunError
from converter.recipe import load_recipe
from converter.run_folder import RunFolder, describe

OLD, NEW = ({"name": name, "sha256": name * 64} for name in ("a", "b"))


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """Start a run on a file of nothing."""
    (tmp_path / "data.csv").touch()
    run = RunFolder(tmp_path / "run")
    run.start(load_recipe("emotion"), [tmp_path / "data.csv"])
    return run


def finish_an_epoch(run: RunFolder) -> None:
    run.checkpoints.mkdir()
    (run.checkpoints / "ckpt-1.index").touch()


def start_and_fail(run: RunFolder) -> None:
    with run.untouched_by_failure():
        run.start(load_recipe("emotion"), [])
        raise DataError


def test_a_new_run_that_fails_before_it_trains_leaves_nothing_that_refuses_the_remedy(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")

    with pytest.raises(DataError):
        start_and_fail(run)

    run.start(load_recipe("keypoints"), [])
    assert run.recipe().kind == "keypoints"


def test_a_run_that_was_there_before_outlives_a_failure(run: RunFolder) -> None:
    with pytest.raises(DataError), run.untouched_by_failure():
        raise DataError

    assert run.recipe() == load_recipe("emotion")


@pytest.mark.parametrize("text", ['{"kind": "emo', '{"kind": "emotion", "name": "a", "colour": 1}'])
def test_a_recipe_that_this_version_cannot_read_is_named(run: RunFolder, text: str) -> None:
    run.recipe_file.write_text(text)

    with pytest.raises(RunError, match=r"recipe\.json: .*train again in another --run folder"):
        run.recipe()


def test_the_weights_that_finished_epochs_came_from_stay_on_record(run: RunFolder) -> None:
    run.note_weights(OLD)
    finish_an_epoch(run)

    run.note_weights(OLD)
    with pytest.raises(RunError, match=r"was started from aaaa.*, not from b"):
        run.note_weights(NEW)
    assert run.inputs()["weights"] == OLD


def test_data_is_found_from_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "data.csv").touch()
    monkeypatch.chdir(tmp_path)
    run = RunFolder(tmp_path / "run")
    run.start(load_recipe("emotion"), [Path("data.csv")])

    monkeypatch.chdir("/")

    assert run.check_data() == [tmp_path / "data.csv"]


def test_a_folder_is_other_data_when_a_picture_moves_but_not_when_a_system_file_comes(tmp_path: Path) -> None:
    for name in ("sad", "happy"):
        (tmp_path / name).mkdir()
    picture = tmp_path / "sad" / "a.png"
    picture.write_bytes(b"pixels")
    before = describe(tmp_path)["sha256"]

    (tmp_path / ".DS_Store").touch()
    (tmp_path / "sad" / "._a.png").touch()
    with_system_files = describe(tmp_path)["sha256"]
    picture.rename(tmp_path / "happy" / "a.png")

    assert with_system_files == before
    assert describe(tmp_path)["sha256"] != before
