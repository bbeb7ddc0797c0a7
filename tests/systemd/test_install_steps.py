"""scripts/install.sh: single steps, with stand-ins for the programs they ask."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest


def test_a_fresh_system_gets_picamera2_too(repository: Path, tmp_path: Path) -> None:
    # Until `apt-get update` there are no lists to search.
    for name, script in {
        "apt-get": f'echo "$*" >>{tmp_path}/asked; [ "$1" != update ] || touch {tmp_path}/lists',
        "apt-cache": f"[ ! -e {tmp_path}/lists ] || echo python3-picamera2 - camera",
    }.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)
    script = (repository / "scripts/install.sh").read_text()
    function = script[script.index("install_packages() {") :].partition("\n}\n")[0]
    program = f'set -eu; run() {{ "$@"; }}; system=trixie-arm64\n{function}\n}}\ninstall_packages'

    environment = {**os.environ, "PATH": f"{tmp_path}:/usr/bin:/bin"}
    subprocess.run(["/bin/bash", "-c", program], env=environment, timeout=60, check=True)

    update, install = (tmp_path / "asked").read_text().splitlines()
    assert update == "update"
    assert install.endswith(" python3-picamera2")


@pytest.mark.parametrize(
    ("state", "refused"),
    [("ii ", True), ("hi ", True), ("iU ", True), ("iF ", True), ("", False), ("rc ", False), ("un ", False)],
)
def test_nothing_is_touched_beside_a_package_that_has_its_files_there(
    repository: Path, tmp_path: Path, state: str, *, refused: bool
) -> None:
    (tmp_path / "dpkg-query").write_text(f"#!/bin/sh\nprintf '{state}'\n")
    (tmp_path / "dpkg-query").chmod(0o755)
    script = (repository / "scripts/install.sh").read_text()
    function = script[script.index("refuse_beside_package() {") :].partition("\n}\n")[0]
    program = f"set -eu; root=; fail() {{ exit $1; }}\n{function}\n}}\nrefuse_beside_package"

    environment = {**os.environ, "PATH": f"{tmp_path}:/usr/bin:/bin"}
    done = subprocess.run(["/bin/bash", "-c", program], env=environment, timeout=60, check=False)

    assert done.returncode == int(refused)
    assert script[script.index("uninstall() {") :].split("\n")[2].strip() == "refuse_beside_package"
