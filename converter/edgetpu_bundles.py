"""Copies of bundles with the net that was compiled for the Edge TPU, digests renewed."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

from converter.edgetpu import COMPILER, Compiled
from converter.errors import EdgeTpuError
from converter.plain_json import to_json
from edge_runtime.bundle import EDGETPU_FILE, MANIFEST_FILE, SUMS_FILE, Bundle, load_bundle


def load_all(paths: list[Path]) -> dict[str, Bundle]:
    """Load bundles; each gets the name of its folder or file, under which its copy is written.

    Raises:
        EdgeTpuError: two have the same name.
    """
    bundles: dict[str, Bundle] = {}
    for path in paths:
        name = path.resolve().stem if path.is_file() else path.resolve().name
        if name in bundles:
            raise EdgeTpuError(f"{path}: {bundles[name].path} is called {name} as well; give one of them another name")
        bundles[name] = load_bundle(path)
    return bundles


def write_compiled(bundle: Bundle, compiled: Compiled, folder: Path) -> Bundle:
    """Write a bundle with its compiled net and load it again, which verifies it.

    A bundle that stands there is replaced. A signature is left out: it was for other digests.

    Raises:
        EdgeTpuError: the folder is there and is no bundle.
    """
    if folder.exists() and not (folder / SUMS_FILE).exists():
        raise EdgeTpuError(f"{folder}: exists and is no model bundle; choose another --out")
    partial = folder.with_name(folder.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    for name, content in _files(bundle, compiled).items():
        (partial / name).write_bytes(content)
    load_bundle(partial)
    if folder.exists():
        shutil.rmtree(folder)
    partial.rename(folder)
    return load_bundle(folder)


def _files(bundle: Bundle, compiled: Compiled) -> dict[str, bytes]:
    files = {name: content for name, content in bundle.files.items() if not name.startswith(SUMS_FILE)}
    manifest = json.loads(files[MANIFEST_FILE])
    manifest["quantization"].setdefault("converter_versions", {})[COMPILER] = compiled.compiler_version
    files[MANIFEST_FILE] = to_json(manifest).rstrip().encode() + b"\n"
    files[EDGETPU_FILE] = compiled.model
    lines = [f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in sorted(files.items())]
    return {**files, SUMS_FILE: "".join(lines).encode("ascii")}
