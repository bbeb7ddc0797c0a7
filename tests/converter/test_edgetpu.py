"""Check against the Edge TPU's operators; the compiler is a stand-in that prints the real one's log."""

from __future__ import annotations

from pathlib import Path

import pytest

from converter.__main__ import main
from converter.edgetpu import Inventory, inventory, require_mapped, require_supported
from converter.errors import EdgeTpuError

LOG = """Edge TPU Compiler version 16.0.384591198
Model compiled successfully in 312 ms.
Operator                       Count      Status

CONV_2D                        14         Mapped to Edge TPU
FULLY_CONNECTED                1          {status}
"""


@pytest.fixture
def bundle(repository: Path) -> Path:
    """Return the shipped keypoint bundle."""
    return repository / "edge_runtime" / "assets" / "keypoints"


def put_compiler(folder: Path, monkeypatch: pytest.MonkeyPatch, status: str) -> None:
    """Put a program named edgetpu_compiler first on the PATH: -s -o FOLDER MODEL."""
    program = folder / "edgetpu_compiler"
    program.write_text(f'#!/bin/sh\ncp "$4" "$3/model_edgetpu.tflite"\ncat <<END\n{LOG.format(status=status)}END\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def test_the_shipped_net_has_only_operators_of_the_edge_tpu(bundle: Path) -> None:
    found = inventory((bundle / "model.tflite").read_bytes())

    require_supported(found)
    assert found.operators["CONV_2D"] == 14
    assert set(found.types) == {"INT8", "INT32"}


def test_other_operators_and_types_are_named() -> None:
    with pytest.raises(EdgeTpuError, match="has no HARD_SWISH, FLOAT32"):
        require_supported(Inventory({"CONV_2D": 1, "HARD_SWISH": 2}, {"INT8": 3, "FLOAT32": 1}))


def test_without_a_compiler_the_operators_are_checked_all_the_same(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    checked = main(["edgetpu", "--bundle", str(bundle)])
    compiled = main(["edgetpu", "--bundle", str(bundle), "--out", str(tmp_path / "out.tflite")])

    assert (checked, compiled) == (0, 5)
    assert "not on the PATH" in capsys.readouterr().err


def test_a_net_that_is_mapped_completely_is_written(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_compiler(tmp_path, monkeypatch, "Mapped to Edge TPU")

    code = main(["edgetpu", "--bundle", str(bundle), "--out", str(tmp_path / "out.tflite")])

    assert code == 0
    assert (tmp_path / "out.tflite").read_bytes() == (bundle / "model.tflite").read_bytes()


def test_an_operator_left_to_the_cpu_ends_with_5(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    put_compiler(tmp_path, monkeypatch, "More than one subgraph is not supported")

    code = main(["edgetpu", "--bundle", str(bundle)])

    assert code == 5
    assert "left to the CPU: FULLY_CONNECTED (More than one subgraph" in capsys.readouterr().err


def test_a_log_without_a_table_is_not_trusted() -> None:
    with pytest.raises(EdgeTpuError, match="no operator table"):
        require_mapped("Model compiled successfully in 3 ms.\n")
