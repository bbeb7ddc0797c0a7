"""The command line: help without heavy imports, one-line errors, exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import cv2
import pytest

from converter.__main__ import main
from tests.converter.sample_data import fer_rows, keypoint_rows, point_cells, write_fer_csv, write_keypoint_csv

HEAVY = {"tensorflow", "keras", "matplotlib", "cv2", "ai_edge_litert", "rich"}
VERBS = ("data", "train", "quantize", "evaluate", "parity", "edgetpu", "export", "report")


@pytest.mark.parametrize("verb", [(), *((verb,) for verb in VERBS)])
def test_help_loads_nothing_heavy(verb: tuple[str, ...], repository: Path) -> None:
    program = (
        "import atexit, json, runpy, sys\n"
        "atexit.register(lambda: print(json.dumps(sorted(sys.modules)), file=sys.stderr))\n"
        f"sys.argv = ['emotion-convert', *{verb!r}, '--help']\n"
        "runpy.run_module('converter', run_name='__main__', alter_sys=True)"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], cwd=repository, capture_output=True, text=True, timeout=60, check=False
    )

    assert done.returncode == 0, done.stderr[-2000:]
    assert not HEAVY & set(json.loads(done.stderr.splitlines()[-1]))


@pytest.mark.parametrize("arguments", [[], ["fly"], ["train", "emotion"], ["data", "check"], ["parity"]])
def test_wrong_usage_ends_with_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)

    assert ended.value.code == 2


def test_a_bundle_without_its_float_twin_is_wrong_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["parity", "--bundle", str(tmp_path)])

    assert code == 2
    assert capsys.readouterr().err.startswith("emotion-convert: --bundle needs --float")


def test_a_missing_file_is_one_line_and_exit_code_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["data", "check", str(tmp_path / "none.csv")])

    assert code == 1
    assert capsys.readouterr().err == f"emotion-convert: {tmp_path}/none.csv: no such file or folder\n"


def test_a_missing_bundle_ends_with_5(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["evaluate", "--bundle", str(tmp_path / "none"), "--data", "x.npz"])

    assert code == 5
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_data_check_counts_a_file_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_fer_csv(tmp_path / "fer.csv", fer_rows(14))

    code = main(["data", "check", str(path), "--json"])

    counted = json.loads(capsys.readouterr().out)
    assert code == 0
    assert counted["classes"]["Training"] == dict.fromkeys(
        ("angry", "disgust", "sad", "happy", "surprise", "neutral", "fear"), 2
    )


def test_data_check_draws_a_sheet(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    points, pictures = keypoint_rows(3)
    path = write_keypoint_csv(tmp_path / "training.csv", point_cells(points), pictures)

    code = main(["data", "check", str(path), "--sheet", str(tmp_path / "sheet.png")])

    assert code == 0
    assert "training  3" in capsys.readouterr().out
    sheet = cv2.imread(str(tmp_path / "sheet.png"))
    assert sheet is not None
    assert sheet.shape[1] == 12 * 120


def test_data_check_asks_which_labels_a_file_has(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_fer_csv(tmp_path / "five.csv", fer_rows(10, classes=5))

    assert main(["data", "check", str(path)]) == 1
    assert "--labels fer7 or --labels five" in capsys.readouterr().err
    assert main(["data", "check", str(path), "--labels", "five"]) == 0


def test_two_kinds_of_data_are_not_checked_together(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    points, pictures = keypoint_rows(1)
    first = write_keypoint_csv(tmp_path / "training.csv", point_cells(points), pictures)
    second = write_fer_csv(tmp_path / "fer.csv", fer_rows(7))

    assert main(["data", "check", str(first), str(second)]) == 1
    assert "one after the other" in capsys.readouterr().err


def test_judging_a_bundle_needs_no_tensorflow(tmp_path: Path, repository: Path) -> None:
    points, pictures = keypoint_rows(2)
    data = write_keypoint_csv(tmp_path / "training.csv", point_cells(points), pictures)
    bundle = repository / "edge_runtime" / "assets" / "keypoints"
    program = (
        "import sys\nfrom converter.__main__ import main\n"
        f"code = main(['evaluate', '--bundle', {str(bundle)!r}, '--data', {str(data)!r}, '--json'])\n"
        "sys.exit(code or ('tensorflow' in sys.modules))"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], cwd=repository, capture_output=True, text=True, timeout=60, check=False
    )

    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout)["n"] == 2


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["export", "--run", "r", "--out", "o", "--version", "abc"], "--version: expected X.Y.Z"),
        (["evaluate", "--bundle", "b", "--data", "d", "--threads", "0"], "--threads: expected 1 or more, found 0"),
        (["train", "emotion", "--data", "d", "--run", "r", "--threads", "-1"], "--threads: expected 0 "),
    ],
)
def test_a_value_that_cannot_be_is_refused_before_anything_is_read(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert capsys.readouterr().err.startswith(f"emotion-convert: {told}")


def test_a_faces_bundle_is_not_compared_on_a_file(
    tmp_path: Path, repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = str(repository / "edge_runtime" / "assets" / "faces")

    code = main(
        ["parity", "--bundle", bundle, "--float", str(tmp_path / "f.tflite"), "--data", str(tmp_path / "k.npz")]
    )

    assert code == 2
    assert "compared on the validation part of their run" in capsys.readouterr().err
