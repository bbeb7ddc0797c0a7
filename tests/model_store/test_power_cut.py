"""A process that changes the store is killed at system calls spread over the change; a good bundle is always in use.

`python -m tests.model_store.power_cuts` goes through every one of them, and through random moments.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.model_store.power_cuts import actions, cut_at, instants, judge, not_on_disk, of_the_change, prepare, traced

pytestmark = pytest.mark.skipif(shutil.which("strace") is None, reason="strace is missing: apt install strace")

UPDATE, BACK = 1, 3
"""Places among the actions."""


@pytest.mark.parametrize("place", range(4), ids=["install", "update", "activate", "roll_back"])
def test_nothing_is_shown_before_it_is_on_the_disk(place: int, tmp_path: Path) -> None:
    action = actions(tmp_path)[place]
    prepare(action, tmp_path / "models", tmp_path)

    calls = of_the_change(traced(action, tmp_path / "models", tmp_path / "trace"))

    assert not_on_disk(calls) == []
    flushes = [at for at, call in enumerate(calls) if call.startswith("fsync(")]
    assert len(flushes) >= 2
    # Every single flush is needed, and its absence would be noticed here.
    assert all(not_on_disk(calls[:at] + calls[at + 1 :]) for at in flushes)


@pytest.mark.parametrize("place", [UPDATE, BACK], ids=["update", "roll_back"])
def test_a_cut_leaves_the_old_or_the_new_bundle_in_use(place: int, tmp_path: Path) -> None:
    action, root = actions(tmp_path)[place], tmp_path / "models"
    prepare(action, root, tmp_path)
    every = instants(traced(action, root, tmp_path / "trace"))
    renames = [number for number, instant in enumerate(every) if instant.call == "rename"]
    # Before and after each rename, where it matters, and both ends.
    chosen = sorted({0, *renames, *(number + 1 for number in renames), len(every) - 1})
    found = []

    for number in chosen:
        prepare(action, root, tmp_path)
        cut_at(every[number], action, root)
        found.append(judge(action, root))

    assert found[0] == action.before
    assert found[-1] == action.after
    assert found == sorted(found, key=[action.before, action.after].index)  # one instant separates them


def test_a_cut_of_the_very_first_installation_leaves_the_shipped_one(tmp_path: Path) -> None:
    action, root = actions(tmp_path)[0], tmp_path / "models"
    every = instants(traced(action, root, tmp_path / "trace"))

    prepare(action, root, tmp_path)
    cut_at(every[len(every) // 2], action, root)

    assert judge(action, root).startswith("emotion-resnet-")
