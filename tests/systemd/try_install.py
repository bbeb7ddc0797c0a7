"""Install, start, stop, install again and remove, all for real, in a throw-away copy of a system.

By hand, as root, before a release; it needs the network for apt and pip and takes some minutes:

    python -m tests.systemd.try_install                 # a copy of this machine
    python -m tests.systemd.try_install /srv/trixie     # a copy of a tree that debootstrap made

The tree needs systemd, systemd-sysv, python3 and the certificates its pip wants. Prints NAME=VALUE; exit code 0 when
all of it is as it should be.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path

from tests.systemd.container import boot, system_copy

TIMEOUT_S = 1800
NEEDED = (
    "setup.py",
    "pyproject.toml",
    "LICENSE",
    "edge_runtime",
    "converter",
    "firmware_config",
    "systemd",
    "scripts",
    "requirements",
)
SCRIPT = """\
cd /srv/emotion-edge
profile() { nice -n 5 scripts/install.sh --profile x86-generic --dropin headless "$@" >/install.log 2>&1; }
uninstall() { scripts/install.sh --uninstall --purge >/uninstall.log 2>&1; }
code() { if "$@"; then echo 0; else echo $?; fi; }

echo "system=$(sed -n 's/^PRETTY_NAME=//p' /etc/os-release)"
echo "systemd=$(systemctl --version | head -n 1)"
echo "install=$(code profile)"
echo "numpy=$(/opt/emotion-edge/bin/python -c 'import numpy; print(numpy.__version__, numpy.__file__)')"
echo "size_mb=$(du -sm /opt/emotion-edge | cut -f1)"
echo "start=$(code systemctl enable --now emotion-edge.service)"
sleep 5
echo "active=$(systemctl is-active emotion-edge.service)"
echo "status=$(systemctl show --value -p StatusText emotion-edge.service)"
pid=$(systemctl show --value -p MainPID emotion-edge.service)
# As an upgrade of the system or a power cut leaves it.
rm -r /opt/emotion-edge/lib/python3*/site-packages/pip
echo "again=$(code profile --no-apt)"
echo "restarted=$(test "$pid" != "$(systemctl show --value -p MainPID emotion-edge.service)" &&
    systemctl is-active emotion-edge.service)"
echo "stop=$(code systemctl stop emotion-edge.service)"
echo "result=$(systemctl show --value -p Result emotion-edge.service)"
echo "uninstall=$(code uninstall)"
echo "left=$(ls -d /opt/emotion-edge /etc/emotion-edge /var/lib/emotion-edge /etc/systemd/system/emotion-edge.service \
    2>/dev/null | xargs)"
echo "driver=done"
"""
# 10: installed, but the check found something missing: there is no camera in a container.
EXPECTED = {
    "install": "10",
    "start": "0",
    "active": "active",
    "result": "success",
    "again": "10",
    "restarted": "active",
    "uninstall": "0",
    "left": "",
}


def main() -> int:
    """Try it and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("system", nargs="?", type=Path, default=Path("/"), help="tree of the system (default /)")
    options = parser.parse_args()
    repository = Path(__file__).resolve().parents[2]
    environment = {name: value for name, value in os.environ.items() if name.startswith("PIP_")} | {"HOME": "/root"}
    with (
        tempfile.TemporaryDirectory(prefix="try-install-") as folder,
        system_copy(Path(folder), options.system) as root,
    ):
        for name in NEEDED:
            source, target = repository / name, root / "srv/emotion-edge" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copytree(source, target) if source.is_dir() else shutil.copy(source, target)
        found = boot(root, SCRIPT, timeout_s=TIMEOUT_S, environment=environment)
    print("\n".join(f"{name}={value}" for name, value in found.items()))  # noqa: T201  a program for the hand
    wrong = {name: found.get(name) for name, value in EXPECTED.items() if found.get(name) != value}
    print(f"wrong: {wrong}" if wrong else "as it should be", file=sys.stderr)  # noqa: T201
    return 1 if wrong or "/usr/lib/python3/dist-packages/" not in found["numpy"] else 0


if __name__ == "__main__":
    sys.exit(main())
