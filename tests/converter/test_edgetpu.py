"""Check against the Edge TPU's operators; the compiler is a stand-in that prints the real one's log."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from converter.__main__ import main
from converter.edgetpu import Inventory, inventory, require_mapped, require_supported
from converter.errors import EdgeTpuError
from edge_runtime.bundle import COMPILED_MARK, EDGETPU_FILE, load_bundle
from edge_runtime.contract import SHIPPED_KINDS

# Prints and writes what the compiler of version 16 does with -s -o FOLDER MODEL...; STATUS is that of the last model's
# last operator. Two models in two calls would both be the last.
COMPILER = r"""#!/bin/sh
folder=$3
shift 3
echo 'Edge TPU Compiler version 16.0.384591198'
echo 'Models compiled successfully in 312 ms.'
for model; do
  name=$(basename "$model" .tflite)
  { cat "$model"; printf edgetpu-custom-op; } > "$folder/${name}_edgetpu.tflite"
  shift
  status='Mapped to Edge TPU'
  [ $# -gt 0 ] || status='STATUS'
  echo
  echo "Input model: $model"
  echo "Output model: ${name}_edgetpu.tflite"
  echo 'On-chip memory used for caching model parameters: 408.25KiB'
  echo 'On-chip memory remaining for caching model parameters: 7.23MiB'
  echo 'Off-chip memory used for streaming uncached model parameters: 0.00B'
  printf '\nOperator                       Count      Status\n\n'
  printf 'CONV_2D                        14         Mapped to Edge TPU\n'
  printf 'FULLY_CONNECTED                1          %s\n' "$status"
done
"""


@pytest.fixture
def bundle(repository: Path) -> Path:
    """Return the shipped keypoint bundle."""
    return repository / "edge_runtime" / "assets" / "keypoints"


def put_compiler(folder: Path, monkeypatch: pytest.MonkeyPatch, status: str = "Mapped to Edge TPU") -> None:
    """Put a program named edgetpu_compiler first on the PATH."""
    program = folder / "edgetpu_compiler"
    program.write_text(COMPILER.replace("STATUS", status))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def test_the_shipped_net_has_only_operators_of_the_edge_tpu(bundle: Path) -> None:
    found = inventory((bundle / "model.tflite").read_bytes())

    require_supported(found)
    assert found.operators["CONV_2D"] == 1 + 7 * 2 + 3  # stem, seven blocks, shortcuts of the three stages that halve
    assert set(found.types) == {"INT8", "INT32"}


def test_other_operators_and_types_are_named() -> None:
    with pytest.raises(EdgeTpuError, match="has no HARD_SWISH, FLOAT32"):
        require_supported(Inventory({"CONV_2D": 1, "HARD_SWISH": 2}, {"INT8": 3, "FLOAT32": 1}))


def test_without_a_compiler_the_operators_are_checked_all_the_same(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    checked = main(["edgetpu", str(bundle)])
    compiled = main(["edgetpu", str(bundle), "--out", str(tmp_path / "out")])

    assert (checked, compiled) == (0, 5)
    assert "not on the PATH" in capsys.readouterr().err


def test_bundles_are_compiled_in_one_call_and_written_as_copies_that_load(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    put_compiler(tmp_path, monkeypatch)
    sources = [bundle.with_name(kind) for kind in SHIPPED_KINDS]

    code = main(["edgetpu", *map(str, sources), "--out", str(tmp_path / "out"), "--json"])

    told = json.loads(capsys.readouterr().out)
    assert code == 0
    assert told["compiled"] == {kind: {"on chip": "408.25KiB", "off chip": "0.00B"} for kind in SHIPPED_KINDS}
    for source in sources:
        copy, before = load_bundle(tmp_path / "out" / source.name), load_bundle(source)
        assert copy.files[EDGETPU_FILE] == before.model + COMPILED_MARK
        assert copy.model == before.model
        assert copy.manifest.quantization.converter_versions["edgetpu_compiler"] == "16.0.384591198"
        assert set(copy.files) == set(before.files) | {EDGETPU_FILE}
        assert EDGETPU_FILE in copy.files["SHA256SUMS"].decode()


def test_weights_of_all_nets_are_told_against_the_memory_of_the_chip(
    bundle: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    main(["edgetpu", str(bundle), str(bundle.with_name("emotion")), "--json"])

    told = json.loads(capsys.readouterr().out)
    sizes = [float(each["weights"].removesuffix(" MB")) for each in told["bundles"].values()]
    files = [(bundle.with_name(kind) / "model.tflite").stat().st_size / 1e6 for kind in ("keypoints", "emotion")]
    assert all(0.8 * file < size < file for size, file in zip(sizes, files, strict=True))
    assert float(told["weights"].split()[0]) == pytest.approx(sum(sizes), abs=0.02)
    assert "of the chip's 8 MiB: they may all stay on the chip" in told["weights"]


def test_one_net_with_an_operator_left_to_the_cpu_ends_with_5_and_writes_nothing(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    put_compiler(tmp_path, monkeypatch, "More than one subgraph is not supported")
    out = tmp_path / "out"

    code = main(["edgetpu", str(bundle), str(bundle.with_name("emotion")), "--out", str(out)])

    assert code == 5
    assert "emotion: edgetpu_compiler left to the CPU: FULLY_CONNECTED (More than one sub" in capsys.readouterr().err
    assert not out.exists()


def test_a_signature_for_other_digests_is_left_out_and_a_copy_is_replaced(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_compiler(tmp_path, monkeypatch)
    signed = tmp_path / "signed"
    shutil.copytree(bundle, signed)
    (signed / "SHA256SUMS.minisig").write_text("for other digests")

    codes = [main(["edgetpu", str(signed), "--out", str(tmp_path / "out")]) for _ in range(2)]

    assert codes == [0, 0]
    assert not (tmp_path / "out" / "signed" / "SHA256SUMS.minisig").exists()
    load_bundle(tmp_path / "out" / "signed")


def test_a_folder_that_is_no_bundle_is_left_alone(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    put_compiler(tmp_path, monkeypatch)
    kept = tmp_path / "out" / "keypoints" / "notes.txt"
    kept.parent.mkdir(parents=True)
    kept.write_text("mine")

    code = main(["edgetpu", str(bundle), "--out", str(tmp_path / "out")])

    assert code == 5
    assert "exists and is no model bundle" in capsys.readouterr().err
    assert kept.read_text() == "mine"


def test_two_bundles_of_one_name_are_refused(bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(bundle, tmp_path / "keypoints")

    code = main(["edgetpu", str(bundle), str(tmp_path / "keypoints")])

    assert code == 5
    assert "is called keypoints as well" in capsys.readouterr().err


def test_a_log_without_a_table_is_not_trusted() -> None:
    with pytest.raises(EdgeTpuError, match="no operator table"):
        require_mapped("Model compiled successfully in 3 ms.\n", "emotion")
