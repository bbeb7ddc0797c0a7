"""The whole chain on a small CSV file: train, kill, go on, quantise, export, load on the device, judge, compare."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import numpy as np
import pytest

from converter.__main__ import main
from edge_runtime.bundle import load_bundle
from edge_runtime.interpreter import open_interpreter
from edge_runtime.models import EmotionModel
from edge_runtime.quantization import quantize_pixels
from tests.converter.sample_data import STRIPES_RECIPE, fer_rows, striped_face, write_fer_csv

pytestmark = pytest.mark.train

EPOCHS = 4
PUBLIC_ROWS = set(range(336, 406))
COPY_ROWS = range(406, 413)
TIMEOUT_S = 120.0


class Chain:
    """Paths of one run."""

    def __init__(self, folder: Path) -> None:
        self.recipe = folder / "stripes.toml"
        self.recipe.write_text(STRIPES_RECIPE)
        self.data = write_fer_csv(
            folder / "fer.csv", [*fer_rows(336), *fer_rows(70, seed=1, usage="PublicTest"), *fer_rows(7)]
        )
        self.run = folder / "run"
        self.bundle = folder / "bundle"
        self.first_log = ""
        self.second_log = ""

    @property
    def train_command(self) -> list[str]:
        """Train with everything a user gives."""
        arguments = ["train", str(self.recipe), "--data", str(self.data), "--run", str(self.run), "--threads", "2"]
        return [sys.executable, "-m", "converter", *arguments]


def train_and_kill(chain: Chain, repository: Path) -> str:
    """Start the training and kill it as soon as its second epoch is done; returns what it wrote."""
    log = ""
    with subprocess.Popen(
        chain.train_command, cwd=repository, stderr=subprocess.PIPE, text=True, errors="replace"
    ) as process:
        alarm = threading.Timer(TIMEOUT_S, process.kill)
        alarm.start()
        assert process.stderr is not None
        for line in process.stderr:
            log += line
            if line.startswith("epoch 2 of"):
                break
        process.send_signal(signal.SIGKILL)
        alarm.cancel()
    return log


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Chain:
    """Train, kill, go on, quantise and export once for all tests of this file."""
    chain = Chain(tmp_path_factory.mktemp("chain"))
    chain.first_log = train_and_kill(chain, repository)
    done = subprocess.run(
        chain.train_command, cwd=repository, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    chain.second_log = done.stderr
    assert main(["quantize", "--run", str(chain.run), "--candidates", "1"]) == 0
    export = ["export", "--run", str(chain.run), "--out", str(chain.bundle), "--version", "1.0.0", "--zip"]
    assert main([*export, "--report", str(chain.data), "--terms", "drawn stripes, free for all"]) == 0
    return chain


def test_a_killed_training_goes_on_where_it_was(chain: Chain) -> None:
    records = [json.loads(line) for line in (chain.run / "progress.jsonl").read_text().splitlines()]

    assert "epoch 2 of 4: " in chain.first_log
    assert "epoch 1 of 4: " not in chain.second_log
    assert "epoch 2 of 4: " not in chain.second_log
    assert [record["epoch"] for record in records] == list(range(EPOCHS))


def test_the_split_keeps_copies_and_the_public_part_out_of_the_training(chain: Chain) -> None:
    split = json.loads((chain.run / "split.json").read_text())
    training, validation = set(split["training_rows"]), set(split["validation_rows"])

    assert not training & validation
    assert not (training | validation) & PUBLIC_ROWS
    for row, copy in zip(range(7), COPY_ROWS, strict=True):
        assert (row in validation) == (copy in validation)


def test_the_runtime_loads_the_bundle_and_repeats_its_golden_answers(chain: Chain) -> None:
    bundle = load_bundle(chain.bundle, kind="emotion")
    golden = bundle.golden()
    interpreter = open_interpreter(bundle.model, reference_kernels=True)

    answers = [interpreter.invoke(quantize_pixels(picture))[0] for picture in golden["inputs"].astype(np.uint8)]

    np.testing.assert_array_equal(np.concatenate(answers), golden["output_0"])


def test_the_exported_net_has_learned_the_stripes(chain: Chain) -> None:
    bundle = load_bundle(chain.bundle)
    model = EmotionModel(bundle, open_interpreter(bundle.model))
    face = striped_face(3, np.random.default_rng(77))  # 3 is happy in FER2013's numbers

    report = json.loads((chain.bundle / "report.json").read_text())

    assert report["reported"]["fer.csv"]["accuracy"] > 0.5
    assert model.logits(face).shape == (7,)
    assert model.scores(face).shares.sum() == pytest.approx(1)


def test_the_zip_holds_the_same_bundle(chain: Chain) -> None:
    path = chain.bundle.parent / "stripes-1.0.0.emodel"

    with zipfile.ZipFile(path) as archive:
        assert {entry.compress_type for entry in archive.infolist()} == {zipfile.ZIP_STORED}
    assert load_bundle(path).files == load_bundle(chain.bundle).files


def test_the_card_and_the_manifest_say_what_was_measured(chain: Chain) -> None:
    manifest = load_bundle(chain.bundle).manifest
    report = json.loads((chain.bundle / "report.json").read_text())
    card = (chain.bundle / "MODEL_CARD.md").read_text()

    assert manifest.accuracy["validation"]["int8"]["accuracy"] == report["validation"]["int8"]["accuracy"]
    assert f"{100 * report['reported']['fer.csv']['accuracy']:.1f} %" in card
    assert "drawn stripes, free for all" in card
    assert "$" not in card
    assert manifest.output.names == ("angry", "disgust", "sad", "happy", "surprise", "none", "none")
    assert 0 < manifest.policy.exit < manifest.policy.enter < 1


def test_no_path_of_this_machine_stands_in_the_bundle(chain: Chain) -> None:
    texts = [chain.bundle / name for name in ("MODEL_CARD.md", "manifest.json", "report.json", "calibration.json")]

    assert str(chain.data.parent) in (chain.run / "inputs.json").read_text()
    assert not [path.name for path in texts if str(chain.data.parent) in path.read_text()]


def test_files_of_one_name_are_reported_each(chain: Chain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for part in ("a", "b"):
        (tmp_path / part).mkdir()
        write_fer_csv(tmp_path / part / "fer.csv", fer_rows(14, seed=2))
    monkeypatch.chdir(tmp_path)
    export = ["export", "--run", str(chain.run), "--out", "out", "--version", "1.0.0"]

    assert main([*export, "--report", "a/fer.csv", "b/fer.csv"]) == 0
    assert set(json.loads(Path("out/report.json").read_text())["reported"]) == {"a/fer.csv", "b/fer.csv"}


def test_calibration_names_pictures_of_the_training_part_alone(chain: Chain) -> None:
    listed = json.loads((chain.bundle / "calibration.json").read_text())
    split = json.loads((chain.run / "split.json").read_text())

    assert len(listed["pictures"]) == 16
    assert {picture["row"] for picture in listed["pictures"]} <= set(split["training_rows"])


def test_evaluate_prints_the_figures_of_the_report(chain: Chain, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["evaluate", "--bundle", str(chain.bundle), "--data", str(chain.data), "--json"])

    figures = json.loads(capsys.readouterr().out)
    reported = json.loads((chain.bundle / "report.json").read_text())["reported"]["fer.csv"]
    assert code == 0
    assert figures["part"] == "public"
    assert figures["n"] == 50
    assert {key: figures[key] for key in reported} == reported


def test_parity_passes_for_the_run_and_for_the_bundle(chain: Chain, capsys: pytest.CaptureFixture[str]) -> None:
    of_run = main(["parity", "--run", str(chain.run), "--json"])
    twin = str(chain.run / "model_float32.tflite")
    of_bundle = main(["parity", "--bundle", str(chain.bundle), "--float", twin, "--data", str(chain.data)])

    assert (of_run, of_bundle) == (0, 0)
    assert "top1_agreement" in capsys.readouterr().out


def test_another_int8_net_fails_the_gate_with_7(
    chain: Chain, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from converter.quantize import to_int8_tflite, trained_net
    from converter.run_folder import RunFolder
    from converter.tasks import prepare_run

    spoiled = RunFolder(shutil.copytree(chain.run, tmp_path / "run"))
    task = prepare_run(spoiled)
    net = trained_net(spoiled, task)
    net.trainable_variables[-2].assign(-net.trainable_variables[-2])
    spoiled.tflite_file.write_bytes(to_int8_tflite(net, _black_and_white()))

    parity = main(["parity", "--run", str(spoiled.path)])
    export = main(["export", "--run", str(spoiled.path), "--out", str(tmp_path / "out"), "--version", "1.0.0"])

    assert (parity, export) == (7, 7)
    assert "expected at least 0.99" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_net_calibrated_without_black_and_white_is_refused(chain: Chain) -> None:
    from converter.quantize import to_int8_tflite, trained_net
    from converter.run_folder import RunFolder
    from converter.tasks import prepare_run
    from edge_runtime.errors import ContractError

    run = RunFolder(chain.run)
    grey = np.random.default_rng(0).integers(50, 200, (2, 96, 96), dtype=np.uint8)

    with pytest.raises(ContractError, match=r"expected batch 1, scale 1/255 and\s+zero point -128"):
        to_int8_tflite(trained_net(run, prepare_run(run)), grey)


def test_report_draws_the_run(chain: Chain, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["report", "--run", str(chain.run), "--out", str(tmp_path)])

    assert code == 0
    assert "# stripes: 4 epochs" in capsys.readouterr().out
    assert sorted(path.name for path in tmp_path.iterdir()) == ["confusion.png", "learning-curve.png", "report.md"]


def test_a_run_folder_refuses_another_recipe_and_other_data(chain: Chain, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--data", str(chain.data), "--run", str(chain.run)]

    other_recipe = main(["train", str(chain.recipe), *arguments, "--seed", "5"])
    chain.data.write_text(chain.data.read_text() + "0," + "0 " * 2304 + ",Training\n")
    other_data = main(["quantize", "--run", str(chain.run)])

    assert (other_recipe, other_data) == (1, 1)
    told = capsys.readouterr().err
    assert "another recipe" in told
    assert "other data" in told


def _black_and_white() -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    pictures = np.stack([striped_face(label, np.random.default_rng(label), 96) for label in range(5)])
    pictures[0, 0, :2] = 0, 255
    return pictures


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_a_training_goes_on_from_a_bundle(chain: Chain, tmp_path: Path) -> None:
    train = ["train", str(chain.recipe), "--data", str(chain.data), "--run", str(tmp_path / "more"), "--epochs", "1"]

    code = main([*train, "--from-bundle", str(chain.bundle)])

    bundle = load_bundle(chain.bundle)
    weights = json.loads((tmp_path / "more" / "inputs.json").read_text())["weights"]
    (record,) = [json.loads(line) for line in (tmp_path / "more" / "progress.jsonl").read_text().splitlines()]
    first = json.loads((chain.run / "progress.jsonl").read_text().splitlines()[0])
    assert code == 0
    assert weights == {"name": "stripes 1.0.0", "sha256": bundle.model_sha256}
    assert record["loss"] < first["loss"]


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_a_recipe_with_a_teacher_goes_on_from_a_bundle_without_one(
    chain: Chain, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    taught = tmp_path / "taught.toml"
    taught.write_text(chain.recipe.read_text().replace("[training]", "[training]\nsoft_weight = 0.5"))
    train = ["train", str(taught), "--data", str(chain.data), "--epochs", "1"]

    alone = main([*train, "--run", str(tmp_path / "alone")])
    onward = main([*train, "--run", str(tmp_path / "onward"), "--from-bundle", str(chain.bundle)])

    told = capsys.readouterr().err
    assert (alone, onward) == (3, 0)
    assert "needs a teacher's answers" in told
    assert "no --soft-labels: the labels alone are learnt" in told
    assert json.loads((tmp_path / "onward" / "recipe.json").read_text())["training"]["soft_weight"] == 0


def test_a_shipped_bundle_of_another_net_is_refused(
    chain: Chain, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train = ["train", str(chain.recipe), "--data", str(chain.data), "--run", str(tmp_path / "more")]

    code = main([*train, "--from-bundle", "shipped"])

    assert code == 3
    assert "assets/emotion: expected weights of the shapes" in capsys.readouterr().err
