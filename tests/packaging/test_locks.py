"""requirements/: whole, hashed, and nothing from Debian in them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from scripts.lock_requirements import SYSTEMS, Locked, System, locks, platforms, read, render, unmet

NAMES = [system.name for system in SYSTEMS]
DIGEST = "0123456789abcdef" * 4


@pytest.fixture(params=SYSTEMS, ids=NAMES)
def system(request: pytest.FixtureRequest) -> System:
    found: System = request.param
    return found


def test_every_wish_of_a_system_is_locked_and_numpy_is_not(system: System) -> None:
    found = [item for path in locks(system) for item in read(path)]

    assert unmet(system, found) == []
    assert "numpy" not in {item.name for item in found}


def test_each_package_is_locked_once(system: System) -> None:
    names = [item.name for path in locks(system) for item in read(path)]

    assert len(names) == len(set(names))


def test_a_lock_names_no_server(system: System) -> None:
    texts = [path.read_text(encoding="utf-8") for path in locks(system)]

    assert not [text for text in texts if "://" in text or "index" in text]


def test_what_is_written_is_what_is_read(tmp_path: Path) -> None:
    files = [Locked("msgspec", "0.22.0", DIGEST), Locked("paho-mqtt", "2.2.0", DIGEST)]
    path = tmp_path / "lock.txt"

    path.write_text(render("bookworm-arm64", SYSTEMS[1], files))

    assert read(path) == files


@pytest.mark.parametrize("line", ["msgspec>=0.18", "msgspec==0.22.0", "msgspec==0.22.0 --hash=sha256:abc"])
def test_a_line_without_exact_version_and_digest_is_refused(line: str, tmp_path: Path) -> None:
    path = tmp_path / "lock.txt"
    path.write_text(f"# a comment\n{line}\n")

    with pytest.raises(ValueError, match=r"lock\.txt:2: expected NAME==VERSION"):
        read(path)


def test_wheels_for_a_newer_c_library_than_bookworms_are_not_taken() -> None:
    tags = platforms("aarch64")

    assert tags[0] == "manylinux_2_36_aarch64"
    assert "manylinux2014_aarch64" in tags


def test_the_locks_cover_what_setup_py_asks_for(repository: Path) -> None:
    text = (repository / "setup.py").read_text(encoding="utf-8")
    block = text.partition("RUNTIME = [")[2].partition("]")[0]
    asked = set(re.findall(r'^    f?"([a-z-]+)>=', block, re.MULTILINE))

    have = {item.name for item in read(repository / "requirements/bookworm-arm64.txt")}

    assert asked - have == {"numpy", "tomli"}
