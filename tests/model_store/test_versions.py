"""Which version is the higher one, and what is no version."""

from __future__ import annotations

import itertools

import pytest

from edge_runtime.errors import ContractError
from edge_runtime.model_store.versions import label_of, precedence, split_label

# The order of semver.org, section 11, and numbers that words would order otherwise.
RISING = (
    "0.9.9",
    "1.0.0-alpha",
    "1.0.0-alpha.1",
    "1.0.0-alpha.beta",
    "1.0.0-beta",
    "1.0.0-beta.2",
    "1.0.0-beta.11",
    "1.0.0-rc.1",
    "1.0.0",
    "1.0.1",
    "1.2.0",
    "1.10.0",
    "2.0.0",
    "10.0.0",
)


@pytest.mark.parametrize(("lower", "higher"), list(itertools.pairwise(RISING)))
def test_versions_rise_as_semver_says(lower: str, higher: str) -> None:
    assert precedence(lower) < precedence(higher)


def test_builds_of_one_version_are_alike() -> None:
    assert precedence("1.0.0+linux") == precedence("1.0.0+2026-11-22") == precedence("1.0.0")


@pytest.mark.parametrize(
    "word",
    [
        "",
        "1",
        "1.0",
        "1.0.0.0",
        "v1.0.0",
        "01.0.0",
        "1.0.0-",
        "1.0.0\n",
        "1.0.٣",
        "9" * 5000,
        "1.0.0+",
        "1.0.0+..",
        "1.0.0+a..b",
    ],
)
def test_what_is_no_version_is_refused(word: str) -> None:
    with pytest.raises(
        ContractError, match=r"expected MAJOR\.MINOR\.PATCH as semver\.org has it, for instance 1\.4\.0"
    ):
        precedence(word)


@pytest.mark.parametrize(
    ("name", "version"), [("a", "1.0.0"), ("emotion-resnet-2", "1.0.0-rc.1"), ("x-1", "2.0.0-3.0.0")]
)
def test_a_label_gives_its_name_and_version_back(name: str, version: str) -> None:
    assert split_label(label_of(name, version)) == (name, version)


@pytest.mark.parametrize("name", ["", "a/b", "..", "A", "a.b", "a\n"])
def test_a_name_that_could_be_another_place_is_refused(name: str) -> None:
    with pytest.raises(ContractError, match="expected small letters, digits and dashes"):
        label_of(name, "1.0.0")


@pytest.mark.parametrize("word", ["shipped", "active.json", "a-1.0", "a-1.0.0/..", "-1.0.0", ".a-1.0.0"])
def test_other_words_are_no_labels(word: str) -> None:
    assert split_label(word) is None
