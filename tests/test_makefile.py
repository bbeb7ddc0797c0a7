"""`make` tells a newcomer what there is, and what CI runs is what a developer runs."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

TARGETS = (
    "bench",
    "check",
    "clean",
    "deb",
    "demo",
    "docs",
    "format",
    "fuzz",
    "help",
    "reliability",
    "prove-arm",
    "prove-deb",
    "sbom",
    "test",
    "test-light",
    "test-media",
    "test-opencv5",
    "wheel",
)
HANDED_DOWN = {"MAKEFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "MEDIA", "MFLAGS"}


def make(repository: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run make in the repository, without what a make that started these tests hands down."""
    command = ["make", "--no-print-directory", *arguments]
    environment = {name: value for name, value in os.environ.items() if name not in HANDED_DOWN}
    return subprocess.run(
        command, cwd=repository, env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def test_make_alone_lists_every_target_with_one_line(repository: Path) -> None:
    done = make(repository)

    listed = re.findall(r"^  make (\S+) +\S+", done.stdout, re.MULTILINE)
    assert done.returncode == 0, done.stderr
    assert sorted(listed) == sorted(TARGETS)


@pytest.mark.parametrize("folder", ["", "/no/such/folder"])
def test_media_tests_refuse_a_folder_that_is_not_there(folder: str, repository: Path) -> None:
    done = make(repository, "test-media", f"MEDIA={folder}")

    assert done.returncode != 0
    assert f"found '{folder}'" in done.stdout


def test_ci_runs_the_commands_a_developer_runs(repository: Path) -> None:
    script = (repository / ".ci" / "run").read_text(encoding="utf-8")

    targets = re.findall(r"^ *step make (\S+)", script, re.MULTILINE)

    assert targets == ["check", "test", "test-opencv5", "test-media"]
