"""Which inputs are drawn: those of the corpus with pieces cut, put in, doubled or changed; now and then anything."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.fuzz.target import Target

LARGEST_EDIT = 64
"""Bytes that one step cuts or doubles at most."""


def inputs(target: Target) -> st.SearchStrategy[bytes]:
    """Draw inputs for a target."""
    seeds = [path.read_bytes() for path in target.corpus()]
    return st.one_of(_mutated(seeds, target.words), _mutated(seeds, target.words), st.binary(max_size=200))


@st.composite
def _mutated(draw: st.DrawFn, seeds: list[bytes], words: tuple[bytes, ...]) -> bytes:
    data = draw(st.sampled_from(seeds))
    for _ in range(draw(st.integers(1, 4))):
        at, length = draw(st.integers(0, len(data))), draw(st.integers(1, LARGEST_EDIT))
        piece = data[at : at + length]
        kind = draw(st.sampled_from(("cut", "put", "double", "change", "end")))
        if kind == "cut":
            data = data[:at] + data[at + length :]
        elif kind == "put":
            data = data[:at] + draw(st.sampled_from(words) if words else st.binary(max_size=8)) + data[at:]
        elif kind == "double":
            data = data[:at] + piece * draw(st.integers(2, 50)) + data[at + length :]
        elif kind == "change":
            data = data[:at] + draw(st.binary(min_size=1, max_size=4)) + data[at + 1 :]
        else:
            data = data[:at]
    return data
