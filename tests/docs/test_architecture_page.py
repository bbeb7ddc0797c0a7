"""docs/architecture.md says what the code says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.source_tree import ROOT
from tests.test_architecture import ROWS

PAGE = ROOT / "docs" / "architecture.md"
TEXT = PAGE.read_text(encoding="utf-8")
PLACES = re.findall(r"^\| [^|]+ \| `([^`|]+)` \| `([^`|]+)` \|$", TEXT, re.MULTILINE)
"""File and name of every row of the table `Where is what`."""


def test_the_ranks_on_the_page_are_those_of_the_architecture_test() -> None:
    block = TEXT.partition("<!-- ranks:")[2].partition("```\n")[2].partition("```")[0]

    shown = [line.split() for line in block.splitlines()]

    assert shown == [list(row) for row in ROWS], (
        "docs/architecture.md: copy ROWS of tests/test_architecture.py into the block below `<!-- ranks:`"
    )


def test_every_row_of_the_table_was_read() -> None:
    table = TEXT.partition("## Where is what")[2].partition("## Add")[0]

    assert len(PLACES) == len([line for line in table.splitlines() if line.startswith("| ")]) - 1
    assert len(PLACES) >= 20


@pytest.mark.parametrize(("file", "name"), PLACES)
def test_what_the_table_says_is_there_is_there(file: str, name: str) -> None:
    path = ROOT / file

    assert path.is_file(), f"docs/architecture.md: no file {file}"
    assert re.search(rf"(?<!\w){re.escape(name)}(?!\w)", path.read_text(encoding="utf-8")), (
        f"docs/architecture.md: {file} holds no {name}"
    )


def test_files_named_in_the_text_exist() -> None:
    named = set(re.findall(r"`((?:edge_runtime|tests|docs|converter|systemd)/[\w/.-]+\.\w+)`", TEXT))

    missing = sorted(file for file in named if "NAME" not in file and not (ROOT / file).is_file())

    assert len(named) > 20
    assert not missing


def test_links_lead_somewhere() -> None:
    links = [link for link in re.findall(r"\]\(([^)]+)\)", TEXT) if not link.startswith(("http", "#"))]

    assert links
    assert all((PAGE.parent / link).exists() for link in links)


@pytest.mark.parametrize("path", sorted((ROOT / "docs" / "adr").glob("*.md")), ids=lambda path: path.name)
def test_a_decision_has_its_four_parts_and_names_files_that_exist(path: Path) -> None:
    text = path.read_text(encoding="utf-8")

    number = int(path.name.partition("-")[0])
    assert text.startswith(f"# {number}. ")
    assert re.search(r"^Status: (accepted|superseded by)", text, re.MULTILINE)
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["Context", "Decision", "Consequences"]
    named = re.findall(r"`((?:edge_runtime|tests|docs|converter)/[\w/.-]+\.\w+)`", text)
    assert all((ROOT / file).is_file() for file in named)
