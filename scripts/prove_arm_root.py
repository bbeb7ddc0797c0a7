"""A Debian of another processor in a folder, run through QEMU's user mode: part of scripts/prove_arm.py.

The packages are unpacked, not configured: no maintainer script runs, which would take an hour of emulation and prove
Debian, not this project.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

BINFMT: Final = Path("/proc/sys/fs/binfmt_misc")
COMPLETE: Final = ".unpacked"
TIMEOUT_S: Final = 5400
"""For one command: emulation is 20 times slower than the machine itself, and the machine may be busy."""

_NEEDED: Final = {
    "debootstrap": "debootstrap",
    "unshare": "util-linux",
    "dpkg-deb": "dpkg",
    "readelf": "binutils",
}
_ALTERNATIVES: Final = ("blas/libblas.so.3", "lapack/liblapack.so.3")
_MOUNTED: Final = (
    'mount -t proc proc "$1/proc"; mount --bind "$0" "$1/proc/cpuinfo"; mount --rbind /dev "$1/dev"; exec chroot "$@"'
)
_CPUINFO: Final = """\
processor\t: {core}
BogoMIPS\t: 108.00
Features\t: {features}
CPU implementer\t: 0x41
CPU architecture: {architecture}
CPU variant\t: 0x0
CPU part\t: {part}
CPU revision\t: 3

"""
_CORES: Final = 4


@dataclass(frozen=True)
class Processor:
    """What the programs in the root are to find.

    LiteRT reads /proc/cpuinfo and /sys. With those of an x86 machine it does without its optimised kernels, or crashes.
    """

    name: str
    """QEMU's word."""

    boards: str
    """That have it."""

    part: str
    """Arm's number of it."""

    architecture: int
    features: str
    """Linux's words for its instructions."""

    def cpuinfo(self) -> str:
        """Return its /proc/cpuinfo."""
        return "".join(
            _CPUINFO.format(core=core, features=self.features, architecture=self.architecture, part=self.part)
            for core in range(_CORES)
        )


@dataclass(frozen=True)
class Machine:
    """One kind of processor and the Debian that runs on it."""

    name: str
    """As `uname -m` says it on a board."""

    system: str
    """Name of the lock in requirements/."""

    triplet: str
    """Folder of its libraries."""

    qemu: str
    """QEMU's word for it."""

    packages: tuple[str, ...]
    """What the root holds besides Debian's minimum."""

    processors: tuple[Processor, ...]
    """The first one runs everything, the others run the nets."""

    compiles: bool = False
    """Whether a package of its lock is compiled here, with a compiler for its processor."""

    @property
    def needed(self) -> dict[str, str]:
        """Return the programs of this machine that a proof needs, each with its package."""
        compiler = {f"{self.triplet}-gcc": f"gcc-{self.triplet}"} if self.compiles else {}
        return {**_NEEDED, f"qemu-{self.qemu}-static": "qemu-user-static", **compiler}

    @property
    def result(self) -> str:
        """Return the name of its file in benchmarks/results."""
        return self.name.removesuffix("l")

    @property
    def debian(self) -> str:
        """Debian's word for it."""
        return self.system.partition("-")[2]


_PYTHON: Final = ("python3", "python3-numpy", "procps", "ca-certificates", "init-system-helpers")
# The older boards have neither dot products nor half floats, and so other kernels than a Pi 5.
_A72: Final = Processor("cortex-a72", "Pi 4; as Pi 3 and Zero 2 W", "0xd08", 8, "fp asimd evtstrm crc32 cpuid")
_A76: Final = Processor(
    "cortex-a76",
    "Pi 5",
    "0xd0b",
    8,
    "fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp",
)
_A7: Final = Processor(
    "cortex-a7",
    "Pi 2; the least of 32 bits",
    "0xc07",
    7,
    "half thumb fastmult vfp edsp neon vfpv3 tls vfpv4 idiva idivt",
)
MACHINES: Final = {
    "aarch64": Machine(
        "aarch64",
        "bookworm-arm64",
        "aarch64-linux-gnu",
        "aarch64",
        (*_PYTHON, "python3-venv", "systemd"),
        (_A72, _A76),
    ),
    "armv7l": Machine(
        "armv7l",
        "bookworm-armhf",
        "arm-linux-gnueabihf",
        "arm",
        (*_PYTHON, "python3-opencv", "libpython3.11-dev"),
        (_A7,),
        compiles=True,
    ),
}


def prepare(machine: Machine, root: Path) -> None:
    """Make the root, or take the one that is there.

    Args:
        machine: what it runs on.
        root: folder; a complete one is used again.

    Raises:
        SystemExit: a program is missing; the message names its package.
    """
    for program, package in machine.needed.items():
        if shutil.which(program, path="/usr/sbin:/usr/bin:/sbin:/bin") is None:
            raise SystemExit(f"{program} is missing: apt-get install {package}")
    _register(machine)
    if (root / COMPLETE).exists():
        return
    shutil.rmtree(root, ignore_errors=True)
    root.parent.mkdir(parents=True, exist_ok=True)
    command = ["/usr/sbin/debootstrap", "--foreign", f"--arch={machine.debian}", "--variant=minbase"]
    release = machine.system.partition("-")[0]
    _run([*command, f"--include={','.join(machine.packages)}", release, str(root)])  # the mirror is debootstrap's own
    unpack(sorted((root / "var/cache/apt/archives").glob("*.deb")), root)
    _settle(machine, root)
    (root / COMPLETE).touch()


def unpack(packages: Sequence[Path], root: Path) -> None:
    """Lay the files of Debian packages into the root, with this machine's own dpkg."""
    for package in packages:
        archive = subprocess.Popen(["/usr/bin/dpkg-deb", "--fsys-tarfile", str(package)], stdout=subprocess.PIPE)
        # Keep: /lib is a link to /usr/lib, and older packages still have a folder of that name.
        _run(["/bin/tar", "-x", "-C", str(root), "--keep-directory-symlink", "-f", "-"], stdin=archive.stdout)
        if archive.wait(timeout=60):
            raise SystemExit(f"{package}: dpkg-deb could not read it; remove it and try again")


def run_inside(
    root: Path, processor: Processor, command: Sequence[str], *, check: bool = True
) -> subprocess.CompletedProcess[str]:
    """Run a command in the root.

    Args:
        root: of the other machine.
        processor: what QEMU is to be.
        command: program and arguments, as the root sees them.
        check: raise where it fails.

    Raises:
        RuntimeError: it failed; the message ends with what it said.
    """
    cpuinfo = root.with_name(f"{processor.name}.cpuinfo")
    cpuinfo.write_text(processor.cpuinfo(), encoding="utf-8")
    # The mounts go with the process.
    mounted = ["/usr/bin/unshare", "--mount", "/bin/sh", "-ec", _MOUNTED, str(cpuinfo), str(root), *command]
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "HOME": "/root"}
    environment["QEMU_CPU"] = processor.name
    done = subprocess.run(
        mounted, env=environment, capture_output=True, text=True, timeout=TIMEOUT_S, check=False, cwd=root
    )
    if check and done.returncode:
        raise RuntimeError(f"{' '.join(command)}: exit {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done


def _settle(machine: Machine, root: Path) -> None:
    """Do the little that maintainer scripts would have done and the proof needs."""
    libraries = root / "usr/lib" / machine.triplet
    for target in _ALTERNATIVES:
        (libraries / Path(target).name).symlink_to(target)
    for name in ("passwd", "group"):
        shutil.copy(root / f"usr/share/base-passwd/{name}.master", root / "etc" / name)
    for name in ("proc", "sys"):
        # In a container debootstrap makes links of these.
        if (root / name).is_symlink():
            (root / name).unlink()
        (root / name).mkdir(exist_ok=True)
    cores = root / "sys/devices/system/cpu"
    cores.mkdir(parents=True)
    for name in ("possible", "present"):
        (cores / name).write_text(f"0-{_CORES - 1}\n")


def _register(machine: Machine) -> None:
    """Tell the kernel that QEMU starts programs of the other processor, once for each boot of this machine."""
    if not (BINFMT / "register").exists():
        _run(["/bin/mount", "-t", "binfmt_misc", "binfmt_misc", str(BINFMT)])
    if not (BINFMT / f"qemu-{machine.qemu}").exists():
        line = Path(f"/usr/lib/binfmt.d/qemu-{machine.qemu}.conf").read_text(encoding="utf-8")
        (BINFMT / "register").write_text(line, encoding="utf-8")


def _run(command: list[str], **options: object) -> None:
    done = subprocess.run(command, timeout=3600, check=False, **options)  # type: ignore[call-overload]
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}: exit {done.returncode}")
