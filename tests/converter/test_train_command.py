"""The command `train`: what it refuses, and that what it refused may be mended."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("tensorflow", reason="the trainer needs TensorFlow")

from converter.__main__ import main
from converter.recipe import parse_recipe
from converter.run_folder import RunFolder
from tests.converter.sample_data import STRIPES_RECIPE, fer_rows, write_fer_csv

pytestmark = [
    pytest.mark.train,
    # Keras' own way of writing weights, with numpy 2.
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]

FIVE_OUTPUTS = STRIPES_RECIPE.replace(', "neutral", "fear"', "")


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    """Write the small recipe."""
    (tmp_path / "stripes.toml").write_text(STRIPES_RECIPE)
    return tmp_path / "stripes.toml"


def test_the_remedy_of_a_refused_training_is_taken_in_the_same_folder(recipe: Path, tmp_path: Path) -> None:
    data = write_fer_csv(tmp_path / "fer.csv", fer_rows(40, classes=5))
    command = ["train", str(recipe), "--data", str(data), "--run", str(tmp_path / "run"), "--epochs", "1"]

    assert main(command) == 1
    assert main([*command, "--labels", "five"]) == 0


def test_validation_files_of_a_face_in_a_crop_are_wrong_usage(
    recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = str(write_fer_csv(tmp_path / "fer.csv", fer_rows(7)))

    code = main(["train", str(recipe), "--data", data, "--validation", data, "--run", str(tmp_path / "run")])

    assert code == 2
    assert "--validation: expected a recipe of faces, found one of emotion" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_a_run_with_other_outputs_is_nothing_to_start_from(
    recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = write_fer_csv(tmp_path / "fer.csv", fer_rows(28))
    five = RunFolder(tmp_path / "five")
    five.start(parse_recipe(FIVE_OUTPUTS.encode(), "five.toml"), [data])
    command = ["train", str(recipe), "--data", str(data), "--run", str(tmp_path / "run")]

    code = main([*command, "--from-run", str(five.path)])

    assert code == 3
    assert "expected a run of emotion with outputs ['angry'" in capsys.readouterr().err


@pytest.mark.parametrize(("other", "told"), [("data", "the data of"), ("outputs", "the outputs of")])
def test_answers_of_runs_of_other_data_or_outputs_are_not_averaged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], other: str, told: str
) -> None:
    runs = [RunFolder(tmp_path / name) for name in ("first", "second")]
    rows = [row for row in fer_rows(42) if int(row[0]) in {0, 1, 3, 4, 5}]  # the five, in FER2013's numbers
    for seed, run in enumerate(runs):
        again = other == "data" and seed == 1
        data = write_fer_csv(tmp_path / f"{run.path.name}.csv", [*rows[:-1], rows[0]] if again else rows)
        text = FIVE_OUTPUTS if other == "outputs" and seed == 1 else STRIPES_RECIPE
        run.start(parse_recipe(text.encode(), "stripes.toml"), [data])

    code = main(["soften", "--run", *(str(run.path) for run in runs), "--out", str(tmp_path / "soft.npz")])

    assert code == 1
    assert told in capsys.readouterr().err
