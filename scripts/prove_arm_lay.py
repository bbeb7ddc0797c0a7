"""What scripts/prove_arm.py puts into the root: the project with its locked wheels, and its tests."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
from pathlib import Path
from typing import Final

from scripts.build_deb import OPT, build_deb, lay_environment
from scripts.build_wheel import ROOT, build_wheel
from scripts.lock_requirements import FOLDER, System, pip, read, wheel_options
from scripts.prove_arm_root import Machine, unpack

PROOF: Final = "srv/proof"
FRAMES: Final = 30
TOOLS: Final = ("pytest>=8.3", "hypothesis", "jsonschema")


def lay_project(machine: Machine, system: System, root: Path) -> None:
    """Put the project into the root: the Debian package, or where there is none the same environment."""
    shutil.rmtree(root / OPT, ignore_errors=True)
    shutil.rmtree(root.with_name("parts"), ignore_errors=True)
    out = root.with_name("dist")
    out.mkdir(exist_ok=True)
    if not system.sources:
        unpack([build_deb(system, out)], root)
        return
    for name in ("emotion-edge", "emotion-firmware"):
        (root / "usr/bin" / name).unlink(missing_ok=True)
    lay_environment(root, system, build_wheel(out))
    _compile_msgspec(machine, system, root, out)


def _compile_msgspec(machine: Machine, system: System, root: Path, out: Path) -> None:
    """Compile the one source of the lock, as pip would on a board, but with this machine's compiler."""
    lock = FOLDER / f"{system.name}-sources.txt"
    options = ["--no-deps", "--require-hashes", "--no-binary=:all:"]
    pip("download", *options, "-d", str(out), "-r", str(lock))
    archive = out / f"msgspec-{read(lock)[0].version}.tar.gz"
    shutil.unpack_archive(archive, out)
    package = root / OPT / f"lib/python{system.python}/site-packages/msgspec"
    shutil.copytree(out / archive.name.removesuffix(".tar.gz") / "src/msgspec", package, dirs_exist_ok=True)
    headers = root / f"usr/include/python{system.python}"
    command = [f"{machine.triplet}-gcc", "-shared", "-fPIC", "-O1", "-DNDEBUG", "-isystem", str(root / "usr/include")]
    command += ["-I", str(headers), str(package / "_core.c"), "-o", str(package / "_core.so"), "-lm"]
    subprocess.run(command, check=True, timeout=1800)


def lay_proof(system: System, root: Path) -> None:
    """Put tests, their tools and the pictures of the demo beside the project, none of its sources."""
    proof = root / PROOF
    shutil.rmtree(proof, ignore_errors=True)
    for folder in ("lib", "log"):
        (root / "var" / folder / "emotion-edge").mkdir(exist_ok=True)
    ignored = shutil.ignore_patterns("__pycache__", "converter", "web", "docs")
    shutil.copytree(ROOT / "tests", proof / "tests", ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", proof)
    shutil.copy(Path(__file__).with_name("prove_arm_inside.py"), proof)
    demo = () if system.sources else ("scikit-image",)
    wanted = (f"numpy=={system.numpy}", *TOOLS, *demo) if demo else TOOLS
    pip("install", "--no-compile", *wheel_options(system), "--target", str(proof / "tools"), *wanted)
    if system.alone:
        _add_schema(proof / "tools")
    # The system's numpy is what the project meets on a board.
    for path in (proof / "tools").glob("numpy*"):
        shutil.rmtree(path)
    _write_pictures(proof / "pictures")


def _add_schema(tools: Path) -> None:
    """Give the tests what they write little nets with: LiteRT's schema, which is plain Python."""
    schema = importlib.util.find_spec("ai_edge_litert.schema_py_generated")
    if schema is None or schema.origin is None:
        raise SystemExit("ai-edge-litert is missing here: pip install ai-edge-litert")
    (tools / "ai_edge_litert").mkdir(exist_ok=True)
    (tools / "ai_edge_litert/__init__.py").touch()
    shutil.copy(schema.origin, tools / "ai_edge_litert")
    pip("install", "--no-deps", "--no-compile", "--target", str(tools), "flatbuffers")


def _write_pictures(folder: Path) -> None:
    """Write the first frames of the demo as files, so that both machines see the same bytes."""
    import cv2

    from edge_runtime.sources.demo import Demo

    folder.mkdir()
    with Demo() as demo:
        for frame, _ in zip(demo.frames(), range(FRAMES), strict=False):
            cv2.imwrite(str(folder / f"{frame.index:03}.png"), frame.pixels)
