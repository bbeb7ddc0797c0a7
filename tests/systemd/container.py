"""A throw-away copy of this machine's system, booted by a real systemd in a container.

An overlay over `/` takes every write, so the machine itself stays as it is. Needs root and systemd-nspawn.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

DRIVER = "driver.service"
BOOT_TIMEOUT_S = 180
"""A boot takes 2 to 15 s on two idle cores; the rest is for a busy machine."""

_DRIVER_UNIT = """\
[Unit]
# When the script is done, so is the container.
SuccessAction=exit
FailureAction=exit

[Service]
Type=oneshot
TimeoutStartSec={timeout_s}
{environment}
ExecStart=/bin/sh -eux /driver.sh
StandardOutput=file:/driver.out
StandardError=file:/driver.err
"""
_BOOT = (
    "/usr/bin/systemd-nspawn",
    # A container refuses what reads the clock's state, as the unit does; the tests are to see what the unit does.
    "--system-call-filter=adjtimex clock_adjtime",
    "--register=no",
    "--keep-unit",
    "--boot",
    "--console=pipe",
)
# What the service itself said is the first thing to read when a script fails.
_ON_EXIT = "trap 'journalctl -u emotion-edge.service --no-pager | tail -n 30 >&2' EXIT\n"


@contextlib.contextmanager
def system_copy(folder: Path, system: Path = Path("/")) -> Iterator[Path]:
    """Mount the copy; yields its root. Skips the test where that is not allowed.

    Args:
        folder: empty, for the mounts.
        system: what is copied; this machine, or the tree of another system.
    """
    if os.geteuid() != 0:
        pytest.skip("booting a container needs root")
    if shutil.which("systemd-nspawn") is None:
        pytest.skip("systemd-nspawn is missing: apt install systemd-container")
    layers, root = folder / "layers", folder / "root"
    layers.mkdir()
    root.mkdir()
    with contextlib.ExitStack() as mounted:
        # A tmpfs, because an overlay cannot have its upper layer on an overlay, as in many CI containers.
        _mount(mounted, layers, "-t", "tmpfs", "tmpfs")
        for name in ("upper", "work"):
            (layers / name).mkdir()
        options = f"lowerdir={system},upperdir={layers}/upper,workdir={layers}/work"
        _mount(mounted, root, "-t", "overlay", "overlay", "-o", options)
        yield root


def show(root: Path, folder: str, place: str) -> None:
    """Let the copy see a folder of this machine at another place, for as long as the copy is mounted.

    Args:
        root: of the copy.
        folder: absolute; may lie in /tmp or a home folder, which the copy has empty or hidden.
        place: below the root of the copy, without the leading slash.
    """
    (root / place).mkdir(parents=True)
    command = ["/bin/mount", "--bind", "-o", "ro", folder, str(root / place)]
    subprocess.run(command, check=True, capture_output=True, timeout=60)


def install(root: Path, repository: Path, program: str, dropin: str) -> None:
    """Install unit, user, configuration and profile below the copy, with a stand-in for the virtual environment.

    Args:
        root: of the copy.
        repository: root of the source tree.
        program: text of the executable the unit starts.
        dropin: text of one more drop-in, read last.
    """
    script = [str(repository / "scripts/install.sh"), "--root", str(root), "--no-python", "--profile", "x86-generic"]
    done = subprocess.run(script, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode:
        pytest.fail(f"install.sh: {done.stderr}")
    executable = root / "opt/emotion-edge/bin/emotion-edge"
    executable.parent.mkdir(parents=True, exist_ok=True)
    executable.write_text(program)
    executable.chmod(0o755)
    last = root / "etc/systemd/system/emotion-edge.service.d/zz-test.conf"
    last.parent.mkdir(exist_ok=True)
    last.write_text(dropin)


def boot(
    root: Path, script: str, *, timeout_s: int = BOOT_TIMEOUT_S, environment: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Boot the copy, run a shell script in it, shut it down.

    Args:
        root: of the copy.
        script: prints lines of the form NAME=VALUE; any command that fails ends it.
        timeout_s: for all of it.
        environment: variables of the script.

    Returns:
        The lines the script printed; a name printed twice has its last value.
    """
    (root / "driver.sh").write_text(_ON_EXIT + script)
    variables = "\n".join(f'Environment="{name}={value}"' for name, value in (environment or {}).items())
    unit = _DRIVER_UNIT.format(timeout_s=timeout_s - 20, environment=variables)
    (root / "etc/systemd/system" / DRIVER).write_text(unit)
    # The host's journal and id are not the container's.
    (root / "etc/machine-id").write_text("")
    done = subprocess.run(
        [*_BOOT, "-D", str(root), f"systemd.unit={DRIVER}"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    said, trace = root / "driver.out", root / "driver.err"
    if not said.exists() or "driver=done" not in said.read_text():
        text = trace.read_text()[-3000:] if trace.exists() else done.stdout[-3000:] + done.stderr[-1000:]
        pytest.fail(f"the script in the container did not reach its end:\n{text}")
    pairs = (line.partition("=") for line in said.read_text().splitlines())
    return {name: value for name, _, value in pairs}


def _mount(mounted: contextlib.ExitStack, target: Path, *arguments: str) -> None:
    done = subprocess.run(["/bin/mount", *arguments, str(target)], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"mounting is not allowed here: {done.stderr.strip()}")
    mounted.callback(subprocess.run, ["/bin/umount", "--lazy", str(target)], check=True)
