"""Install, upgrade, remove, install again and purge the Debian package, in a throw-away copy of a system.

By hand, as root, before a release: `make prove-deb`, or with a tree that debootstrap made:

    python -m tests.packaging.try_deb --packages dist --system bookworm-amd64 --tree /srv/bookworm

It needs the network for python3-numpy. Prints NAME=VALUE; exit code 0 when all of it is as it should be.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path

from scripts.build_deb import build_deb
from scripts.lock_requirements import SYSTEMS
from tests.systemd.container import boot, system_copy

TIMEOUT_S = 3600
SCRIPT = """\
export DEBIAN_FRONTEND=noninteractive
# Images for containers forbid packages to touch services; a device has no such file.
rm -f /usr/sbin/policy-rc.d
code() { if "$@" >>/deb.log 2>&1; then echo 0; else echo $?; fi; }
left() { ls -d /opt/emotion-edge /usr/bin/emotion-edge /etc/emotion-edge /var/lib/emotion-edge /var/log/emotion-edge \
    /usr/lib/systemd/system/emotion-edge.service 2>/dev/null | xargs; }
state() { systemctl is-active emotion-edge.service || true; }
first=$(ls /srv/*-1+deb*.deb) second=$(ls /srv/*-2+deb*.deb)

test -d /usr/lib/python3/dist-packages/numpy || apt-get update >>/deb.log 2>&1
echo "install=$(code apt-get install --yes --no-install-recommends $first)"
echo "enabled_by_install=$(systemctl is-enabled emotion-edge.service || true)"
echo "active_after_install=$(state)"
echo "user=$(id -nG emotion-edge)"
echo "folders=$(stat -c %U:%a /var/lib/emotion-edge /etc/emotion-edge/credentials | xargs)"
echo "numpy=$(/opt/emotion-edge/bin/python3 -c 'import numpy; print(numpy.__file__)')"
echo "version=$(emotion-edge version | head -n 1)"
echo "start=$(code systemctl enable --now emotion-edge.service)"
sleep 5
echo "active=$(state)"
echo "# mine" >>/etc/emotion-edge/config.toml
pid=$(systemctl show --value -p MainPID emotion-edge.service)
echo "upgrade=$(code dpkg --install $second)"
echo "upgraded_to=$(dpkg-query --show --showformat='${Version}' emotion-edge)"
echo "restarted=$(test "$pid" != "$(systemctl show --value -p MainPID emotion-edge.service)" && state)"
echo "still_enabled=$(systemctl is-enabled emotion-edge.service || true)"
echo "mine=$(grep -c '# mine' /etc/emotion-edge/config.toml)"
echo "remove=$(code dpkg --remove emotion-edge)"
echo "active_after_remove=$(state)"
echo "left_by_remove=$(left)"
echo "again=$(code dpkg --install $first)"
echo "mine_again=$(grep -c '# mine' /etc/emotion-edge/config.toml)"
echo "purge=$(code dpkg --purge emotion-edge)"
echo "left_by_purge=$(left)"
echo "status=$(dpkg-query --show --showformat='${db:Status-Abbrev}' emotion-edge 2>/dev/null || echo none)"
# Without its folder the package can still be removed, and something left there does not keep it from coming back.
dpkg --install $first >>/deb.log 2>&1 && rm -rf /opt/emotion-edge
echo "remove_without_folder=$(code dpkg --remove emotion-edge)"
mkdir -p /opt/emotion-edge/lib && touch /opt/emotion-edge/lib/mine
echo "install_beside_a_rest=$(code dpkg --install $first)"
dpkg --remove emotion-edge >>/deb.log 2>&1
mkdir -p /opt/emotion-edge/bin && touch /opt/emotion-edge/bin/emotion-edge
echo "beside_install_sh=$(code dpkg --install $first)"
dpkg --purge emotion-edge >>/deb.log 2>&1
echo "kept_for_install_sh=$(ls -d /etc/emotion-edge /var/lib/emotion-edge /var/log/emotion-edge | xargs)"
echo "driver=done"
"""
EXPECTED = {
    "install": "0",
    "enabled_by_install": "disabled",
    "active_after_install": "inactive",
    "folders": "emotion-edge:700 root:700",
    "numpy": "/usr/lib/python3/dist-packages/numpy/__init__.py",
    "start": "0",
    "active": "active",
    "upgrade": "0",
    "restarted": "active",
    "still_enabled": "enabled",
    "mine": "1",
    "remove": "0",
    "active_after_remove": "inactive",
    "left_by_remove": "/etc/emotion-edge /var/lib/emotion-edge /var/log/emotion-edge",
    "again": "0",
    "mine_again": "1",
    "purge": "0",
    "left_by_purge": "",
    "status": "none",
    "remove_without_folder": "0",
    "install_beside_a_rest": "0",
    "beside_install_sh": "1",
    "kept_for_install_sh": "/etc/emotion-edge /var/lib/emotion-edge /var/log/emotion-edge",
}


def main() -> int:
    """Try it and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packages", type=Path, help="folder with revisions 1 and 2; without it they are built")
    parser.add_argument("--system", default="bookworm-amd64", help="for which they are built (default bookworm-amd64)")
    parser.add_argument("--tree", type=Path, default=Path("/"), help="of the system to copy (default /)")
    options = parser.parse_args()
    environment = {name: value for name, value in os.environ.items() if name.startswith("PIP_")} | {"HOME": "/root"}
    with (
        tempfile.TemporaryDirectory(prefix="try-deb-") as folder,
        system_copy(Path(folder), options.tree) as root,
    ):
        packages = options.packages or Path(folder)
        if not options.packages:
            system = next(system for system in SYSTEMS if system.name == options.system)
            for revision in ("1", "2"):
                build_deb(system, packages, revision)
        (root / "srv").mkdir(exist_ok=True)
        for package in packages.glob(f"*_{options.system.partition('-')[2]}.deb"):
            shutil.copy(package, root / "srv")
        found = boot(root, SCRIPT, timeout_s=TIMEOUT_S, environment=environment)
    print("\n".join(f"{name}={value}" for name, value in found.items()))  # noqa: T201  a program for the hand
    wrong = {name: found.get(name) for name, value in EXPECTED.items() if found.get(name) != value}
    print(f"wrong: {wrong}" if wrong else "as it should be", file=sys.stderr)  # noqa: T201
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
