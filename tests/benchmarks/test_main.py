"""`python -m benchmarks`: every benchmark is asked for in one form, and a wrong name tells the right ones."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


def run(repository: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", *words]
    return subprocess.run(command, cwd=repository, capture_output=True, text=True, timeout=120, check=False)


def test_help_names_every_benchmark_and_nothing_else(repository: Path) -> None:
    done = run(repository, "benchmarks", "--help")

    assert done.returncode == 0, done.stderr
    names = done.stdout.partition("the names are ")[2].partition(";")[0].split(", ")
    assert {"detectors", "fleet", "reliability", "nets"} < set(names)
    assert all("def main(" in text_of(repository / "benchmarks", name) for name in names)


def text_of(folder: Path, name: str) -> str:
    module, package = folder / f"{name}.py", folder / name / "__init__.py"
    return (module if module.is_file() else package).read_text(encoding="utf-8")


def test_an_unknown_name_is_a_usage_error_that_tells_the_names(repository: Path) -> None:
    done = run(repository, "benchmarks", "detector")

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("benchmarks: found 'detector', expected the name of a benchmark; the names are ")
    assert " detectors," in done.stderr


@pytest.mark.parametrize("form", [("benchmarks", "detectors"), ("benchmarks.detectors",)], ids=" ".join)
def test_the_detectors_read_their_arguments_in_either_form(
    repository: Path, tmp_path: Path, form: tuple[str, ...]
) -> None:
    done = run(repository, *form, "--media", str(tmp_path / "nowhere"))

    assert done.returncode != 0
    assert "unrecognized arguments" not in done.stderr
    assert str(tmp_path / "nowhere") in done.stderr
