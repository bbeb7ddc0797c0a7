"""Prove the runtime on an emulated Arm processor: `make prove-arm`, or `python -m scripts.prove_arm aarch64|armv7l`.

A Debian of that processor is unpacked into a folder, the project and its locked wheels are put into it, and QEMU's user
mode runs there: every answer of every shipped net beside this machine's, the self-test, a run over moving pictures, and
the tests of the runtime. Writes benchmarks/results/aarch64.json or armv7.json. Needs root, the network, and 15 minutes
of an idle machine. What it cannot prove: speed, cameras, accelerators, the board itself.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.environment import write
from scripts.build_deb import OPT
from scripts.build_wheel import ROOT
from scripts.lock_requirements import SYSTEMS
from scripts.prove_arm_judge import broken, counts, differences, page_alignment
from scripts.prove_arm_lay import FRAMES, PROOF, lay_project, lay_proof
from scripts.prove_arm_root import MACHINES, Machine, Processor, prepare, run_inside

PI5_PAGE_BYTES: Final = 16384
"""Of the default 64-bit kernel of a Raspberry Pi 5; the older boards have 4096."""

PYTHON: Final = f"/{OPT}/bin/python3"
TESTS: Final = (
    "test_bundle.py",
    "test_decode.py",
    "test_framing.py",
    "test_interpreter.py",
    "test_models.py",
    "test_pipeline.py",
    "test_policy.py",
    "test_preprocess.py",
    "test_quantization.py",
    "test_smoothing.py",
    "test_stages.py",
    "test_tracker.py",
    "outbox/test_buffers.py",
    "outbox/test_store.py",
)
"""Arithmetic, nets, pictures, SQLite: what another processor could do otherwise. Brokers, pages and threads are slow
under emulation and tell of the emulator."""

Part = dict[str, Any]
"""`figures` for the result, and `wrong`: lines that say what is not as it should be."""


def alignments(root: Path, machine: Machine) -> dict[str, Any]:
    """Look whether every shared object can be mapped where pages have 16 KB, as on a Pi 5."""
    folders = (root / OPT, root / "usr/lib/python3/dist-packages", root / "usr/lib" / machine.triplet)
    found: dict[str, int] = {}
    for path in sorted({path.resolve() for folder in folders for path in folder.rglob("*.so*") if path.is_file()}):
        done = subprocess.run(
            ["readelf", "--segments", "--wide", str(path)], capture_output=True, text=True, timeout=60, check=False
        )
        if " LOAD " in done.stdout:
            found[str(path.relative_to(root.resolve()))] = page_alignment(done.stdout)
    small = sorted(name for name, size in found.items() if size < PI5_PAGE_BYTES)
    return {"looked_at": len(found), "smallest_bytes": min(found.values()), "below_16_kb": len(small), "names": small}


def read_answers(path: Path) -> dict[str, NDArray[np.int8]]:
    """Return every array of an .npz file."""
    with np.load(path) as archive:
        return {name: archive[name] for name in archive.files}


def compare_nets(processor: Processor, root: Path) -> Part:
    """Run every net here and there."""
    inside = Path(__file__).with_name("prove_arm_inside.py")
    own, theirs = (root.with_name(f"{processor.name}.npz"), Path(PROOF, f"{processor.name}.npz"))
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(inside), str(own)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=3600)
    said = run_inside(root, processor, [PYTHON, f"/{PROOF}/{inside.name}", f"/{theirs}"])
    told = json.loads(said.stdout)
    table = differences(read_answers(own), read_answers(root / theirs))
    figures = {
        "boards": processor.boards,
        "installed": told["installed"],
        "this_machine": json.loads(done.stdout)["installed"],
        "nets": {name: {**told["nets"][name], **table[name]} for name in table},
    }
    return {"figures": figures, "wrong": [f"{processor.name}: {line}" for line in broken(table, told["nets"])]}


def run_program(processor: Processor, root: Path) -> Part:
    """Run the self-test and the program itself, over the demo where scikit-image exists, else over its pictures."""
    shown = "demo" if (root / PROOF / "tools/skimage").exists() else f"/{PROOF}/pictures"
    program = ["/usr/bin/env", f"PYTHONPATH=/{PROOF}/tools", f"/{OPT}/bin/emotion-edge"]
    selftest = run_inside(root, processor, [*program, "selftest", "--source", shown, "--json"], check=False)
    log = f"/{PROOF}/events.jsonl"
    (root / log[1:]).unlink(missing_ok=True)
    command = [*program, "run", "--source", shown, "--max-frames", str(FRAMES), "--log-file", log]
    ran = run_inside(root, processor, command, check=False)
    lines = (root / log[1:]).read_text(encoding="utf-8").splitlines() if (root / log[1:]).exists() else []
    events = [line["event_type"] for line in map(json.loads, lines) if "event_type" in line]
    verdicts = _verdicts(selftest.stdout)
    figures = {
        "selftest": {"exit_code": selftest.returncode, "verdicts": verdicts},
        "run": {"source": Path(shown).name, "exit_code": ran.returncode, "lines": len(lines), "events": events},
    }
    wrong = [] if ran.returncode == 0 and "face_appeared" in events else [f"run: exit {ran.returncode}, {ran.stderr}"]
    failed = [line for line in verdicts if line.endswith("False")]
    return {"figures": figures, "wrong": [*wrong, *(f"selftest: {line}" for line in failed)]}


def _verdicts(printed: str) -> list[str]:
    """Return one line for each proof of the self-test, with the verdict as its last word."""
    if not printed.strip():
        return ["nothing printed: False"]
    return [f"{item['subject']}: {item['told']}: {item['passed']}" for item in json.loads(printed)["verdicts"]]


def run_tests(processor: Processor, root: Path) -> Part:
    """Run the chosen tests against the installed project."""
    junit = root / PROOF / "junit.xml"
    environment = ["/usr/bin/env", "-C", f"/{PROOF}", f"PYTHONPATH=/{PROOF}/tools", "PYTHONDONTWRITEBYTECODE=1"]
    options = ["-q", "-p", "no:cacheprovider", f"--junitxml=/{PROOF}/junit.xml"]
    command = [*environment, PYTHON, "-m", "pytest", *options, *(f"tests/{name}" for name in TESTS)]
    said = run_inside(root, processor, command, check=False)
    if not junit.exists():
        return {"figures": {}, "wrong": [f"tests: {said.stdout[-1000:]}{said.stderr[-1000:]}"]}
    found = {"processor": processor.name, "files": list(TESTS), **counts(junit.read_bytes())}
    return {"figures": found, "wrong": [f"test: {name}" for name in found["names"]]}


def qemu_version(machine: Machine) -> str:
    """Return the first line QEMU says of itself."""
    command = [f"/usr/bin/qemu-{machine.qemu}-static", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.splitlines()[0]


def look_at_pages(machine: Machine, root: Path) -> Part:
    """Look at every shared object; the pages of a 32-bit kernel have 4 KB on every board."""
    found = alignments(root, machine)
    small = found.pop("names")
    return {"figures": found, "wrong": [f"pages: {name}" for name in small] if machine.name == "aarch64" else []}


def parts(machine: Machine, root: Path) -> dict[str, Callable[[], Part]]:
    """Return what there is to prove, by name; each part stands alone."""
    first = machine.processors[0]
    nets = {item.name: partial(compare_nets, item, root) for item in machine.processors}
    return {
        "pages": partial(look_at_pages, machine, root),
        **nets,
        "program": partial(run_program, first, root),
        "tests": partial(run_tests, first, root),
    }


def prove(machine: Machine, root: Path, names: Sequence[str]) -> dict[str, Any] | None:
    """Run parts of the proof and keep what they found.

    Args:
        machine: what it is about.
        root: with project and proof in it.
        names: of the parts to run.

    Returns:
        All figures, with what is `wrong`, once every part has been run; else None.
    """
    kept = root.with_name("parts")
    kept.mkdir(exist_ok=True)
    everything = parts(machine, root)
    for name in names:
        (kept / f"{name}.json").write_text(json.dumps(everything[name]()), encoding="utf-8")
        print(f"{machine.name}: {name} done", flush=True)
    if not all((kept / f"{name}.json").exists() for name in everything):
        return None
    found = {name: json.loads((kept / f"{name}.json").read_text(encoding="utf-8")) for name in everything}
    figures: dict[str, Any] = {"proven": "emulated, never on a board", "qemu": qemu_version(machine)}
    figures["system"] = machine.system
    figures |= {name: part["figures"] for name, part in found.items()}
    figures["wrong"] = [line for part in found.values() for line in part["wrong"]]
    return figures


def main() -> int:
    """Prove it, write the result, say what is wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("machine", choices=MACHINES)
    parser.add_argument("--root", type=Path, help="folder of the Debian (default /var/tmp/emotion-edge-MACHINE/root)")
    parser.add_argument("--part", action="append", help="prove this part alone, with what an earlier call has laid")
    options = parser.parse_args()
    machine = MACHINES[options.machine]
    root: Path = options.root or Path(f"/var/tmp/emotion-edge-{machine.name}/root")  # noqa: S108  kept, as it is slow to make
    system = next(system for system in SYSTEMS if system.name == machine.system)
    if unknown := sorted(set(options.part or ()) - set(parts(machine, root))):
        parser.error(f"no part {unknown}; there are {', '.join(parts(machine, root))}")
    prepare(machine, root)
    if not options.part:
        lay_project(machine, system, root)
        lay_proof(system, root)
    figures = prove(machine, root, options.part or list(parts(machine, root)))
    if figures is None:
        return 0
    write(machine.result, f"python -m scripts.prove_arm {machine.name}", figures)
    print("\n".join(figures["wrong"]) or "as it should be")
    return 1 if figures["wrong"] else 0


if __name__ == "__main__":
    sys.exit(main())
