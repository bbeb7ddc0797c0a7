"""From files to the two parts of a task, and what is refused before a net is built."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="tasks build nets")

from converter.__main__ import main
from converter.errors import DataError, RunError
from converter.recipe import Recipe, load_recipe, parse_recipe
from converter.run_folder import RunFolder
from converter.soft_labels import write_soft_labels
from converter.tasks import EmotionTask, prepare, prepare_run
from edge_runtime.contract import KEYPOINT_COUNT
from tests.converter.sample_data import STRIPES_RECIPE, fer_rows, keypoint_rows, write_fer_csv

pytestmark = pytest.mark.train


def stripes(*replaced: str) -> Recipe:
    """Change the small recipe: a text and what stands in its place, in turn."""
    text = STRIPES_RECIPE
    for old, new in zip(replaced[::2], replaced[1::2], strict=True):
        text = text.replace(old, new)
    return parse_recipe(text.encode(), "stripes.toml")


def write_points(path: Path, count: int, *, person: str | None = None, seed: int = 0) -> Path:
    points, pictures = keypoint_rows(count, seed=seed)
    people = {} if person is None else {"person": np.full(count, person)}
    np.savez(path, allow_pickle=False, images=np.stack(pictures), points=points, **people)
    return path


def test_a_share_of_nothing_leaves_nothing_to_choose_by(tmp_path: Path) -> None:
    data = write_fer_csv(tmp_path / "fer.csv", fer_rows(28))

    with pytest.raises(DataError, match=r"28 faces to train on, 0 to choose by.*validation_share \(now 0\)"):
        prepare(stripes("validation_share = 0.25", "validation_share = 0.0"), [data])


def test_faces_of_one_person_cannot_be_split(tmp_path: Path) -> None:
    data = write_points(tmp_path / "one.npz", 30, person="me")

    with pytest.raises(DataError, match=r"one\.npz: 30 faces to train on, 0 to choose by"):
        prepare(load_recipe("keypoints"), [data])


def test_neutral_faces_alone_are_nothing_to_choose_by(tmp_path: Path) -> None:
    data = write_fer_csv(tmp_path / "fer.csv", [("6", pixels, usage) for _, pixels, usage in fer_rows(28)])

    with pytest.raises(DataError, match=r"none of the 7 faces to choose by is of \['angry'"):
        prepare(stripes(), [data])


def test_faces_without_points_are_nothing_to_choose_by(tmp_path: Path) -> None:
    images = np.stack(keypoint_rows(20)[1])
    np.savez(tmp_path / "a.npz", images=images, points=np.full((20, KEYPOINT_COUNT, 2), np.nan))

    with pytest.raises(DataError, match="faces to choose by has an annotated point"):
        prepare(load_recipe("keypoints"), [tmp_path / "a.npz"])


def test_blank_pictures_are_left_out_of_a_file_without_votes(tmp_path: Path) -> None:
    blank = ("3", " ".join(["90"] * 48 * 48), "Training")
    data = write_fer_csv(tmp_path / "fer.csv", [blank, *fer_rows(28)])

    task = prepare(stripes(), [data])

    assert sorted(task.training_rows + task.validation_rows) == list(range(1, 29))


def test_copies_of_a_face_with_points_stand_on_one_side(tmp_path: Path) -> None:
    data = [write_points(tmp_path / "a.npz", 40), write_points(tmp_path / "b.npz", 40)]

    task = prepare(load_recipe("keypoints"), data)

    assert task.validation_rows
    assert {row % 40 for row in task.validation_rows}.isdisjoint(row % 40 for row in task.training_rows)


def taught(tmp_path: Path, pictures: np.ndarray, data: Path) -> RunFolder:
    """Start a run with soft labels of some pictures."""
    write_soft_labels(tmp_path / "soft.npz", pictures, np.full((len(pictures), 7), 1 / 7, np.float32), {})
    run = RunFolder(tmp_path / "run")
    recipe = stripes("epochs = 4", "epochs = 4\nsoft_weight = 0.5")
    run.start(recipe, [data], soft_labels=tmp_path / "soft.npz")
    return run


def test_soft_labels_of_other_pictures_are_refused(tmp_path: Path) -> None:
    data = write_fer_csv(tmp_path / "fer.csv", fer_rows(28))
    others = np.random.default_rng(0).integers(0, 256, (5, 48, 48), dtype=np.uint8)

    with pytest.raises(RunError, match=r"soft\.npz: names none of the 21 training pictures"):
        prepare_run(taught(tmp_path, others, data))


def test_soft_labels_of_some_pictures_say_of_how_many(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = write_fer_csv(tmp_path / "fer.csv", fer_rows(28))
    plain = prepare(stripes(), [data])
    assert isinstance(plain, EmotionTask)

    run = taught(tmp_path, plain.training.images[:5], data)
    main(["quantize", "--run", str(run.path)])

    assert "soft labels name 5 of 21 training pictures" in capsys.readouterr().err
