"""The bill of materials says what the locks say."""

from __future__ import annotations

import datetime as dt

import pytest

from scripts.lock_requirements import SYSTEMS, Locked, System, locks, read
from scripts.write_sbom import bill

WRITTEN_AT = dt.datetime(2026, 11, 22, 12, 0, tzinfo=dt.timezone.utc)


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda system: system.name)
def test_each_locked_file_is_one_component_with_its_digest(system: System) -> None:
    files = [item for path in locks(system) for item in read(path)]

    found = bill(system, files, WRITTEN_AT)

    hashed = {part["name"]: part["hashes"][0]["content"] for part in found["components"] if "hashes" in part}
    assert hashed == {item.name: item.sha256 for item in files}


def test_what_debian_gives_is_named_as_debians() -> None:
    armhf = next(system for system in SYSTEMS if system.from_debian)

    found = bill(armhf, [], WRITTEN_AT)

    assert [part["purl"] for part in found["components"]] == [
        "pkg:deb/debian/python3-numpy",
        "pkg:deb/debian/python3-opencv",
    ]


def test_form_and_time_are_cyclonedxs_own() -> None:
    found = bill(SYSTEMS[0], [Locked("setuptools", "84.2.1", "0" * 64)], WRITTEN_AT)

    assert (found["bomFormat"], found["specVersion"]) == ("CycloneDX", "1.5")
    assert found["metadata"]["timestamp"] == "2026-11-22T12:00:00Z"
    assert found["components"][0]["scope"] == "excluded"
