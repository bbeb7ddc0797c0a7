"""Whatever comes in from outside gives an answer, or an error of ours that says where; `make fuzz` looks for longer."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.fuzz.inputs import inputs
from tests.fuzz.target import CORPUS, FuzzFailureError, Target
from tests.fuzz.targets import TARGETS

ENTRIES = [(name, path.name) for name, target in TARGETS.items() for path in target.corpus()]


@pytest.mark.parametrize(("name", "entry"), ENTRIES)
def test_an_input_of_the_corpus_is_answered_or_refused_in_words(name: str, entry: str) -> None:
    TARGETS[name].check((CORPUS / name / entry).read_bytes())


@pytest.mark.parametrize("name", TARGETS)
def test_a_changed_input_is_answered_or_refused_in_words(name: str) -> None:
    target = TARGETS[name]

    # The same inputs in every run: a test that fails now and then tells nobody what was broken. `make fuzz` draws anew.
    @settings(
        max_examples=target.examples,
        derandomize=True,
        database=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(inputs(target))
    def check(data: bytes) -> None:
        target.check(data)

    check()


def test_every_target_has_a_corpus_and_no_corpus_is_without_a_target() -> None:
    folders = {path.name for path in CORPUS.iterdir()}

    assert folders == set(TARGETS)
    assert all(target.corpus() for target in TARGETS.values())


@pytest.mark.parametrize(
    ("raised", "told"),
    [(KeyError("x"), "KeyError came out"), (ValueError("in line 3"), "does not name 'here.toml'")],
)
def test_an_input_that_breaks_the_rule_is_noticed(raised: Exception, told: str) -> None:
    def run(data: bytes, folder: object) -> None:
        del data, folder
        raise raised

    target = Target("example", run, ValueError, "here.toml")

    with pytest.raises(FuzzFailureError, match=told):
        target.check(b"")


def test_inputs_are_drawn_from_the_corpus() -> None:
    found: list[bytes] = []

    @settings(max_examples=30, derandomize=True, database=None)
    @given(st.data())
    def draw(data: st.DataObject) -> None:
        found.append(data.draw(inputs(TARGETS["recipe"])))

    draw()

    assert any(b"stages" in data for data in found)
