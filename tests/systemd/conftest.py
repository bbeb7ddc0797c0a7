"""The unit under a program path that exists here, alone or with a drop-in."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

PROGRAM = "/opt/emotion-edge/bin/emotion-edge"
STAND_IN = "/bin/true"


@pytest.fixture
def unit_of(tmp_path: Path, repository: Path) -> Callable[[str | None], Path]:
    """Return a maker of unit files: copies the unit, and the named drop-in beside it.

    systemd-analyze refuses a program that is not installed, so the copy starts one that is.
    """

    def make(dropin: str | None) -> Path:
        unit = tmp_path / "emotion-edge.service"
        unit.write_text((repository / "systemd/emotion-edge.service").read_text().replace(PROGRAM, STAND_IN))
        if dropin:
            folder = tmp_path / "emotion-edge.service.d"
            folder.mkdir(exist_ok=True)
            text = (repository / f"systemd/dropins/{dropin}.conf").read_text()
            (folder / f"{dropin}.conf").write_text(text.replace(PROGRAM, STAND_IN))
        return unit

    return make


@pytest.fixture
def tool() -> Callable[[str], str]:
    """Return a finder of programs that skips the test where the program is missing."""

    def find(name: str, package: str = "systemd") -> str:
        found = shutil.which(name, path="/usr/bin:/bin:/usr/sbin:/sbin")
        if found is None:
            pytest.skip(f"{name} is missing: apt install {package}")
        return found

    return find
