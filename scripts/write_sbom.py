"""Write the bill of materials of one system as CycloneDX 1.5 JSON: `python -m scripts.write_sbom SYSTEM [--out FILE]`.

It says what pip installs there, from the locks in requirements/: name, version, SHA-256. What Debian gives is named
without a version, because apt decides that. The licences are in each package.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
from pathlib import Path
from typing import Any, Final

from edge_runtime._version import __version__
from scripts.build_wheel import commit_time
from scripts.lock_requirements import SYSTEMS, Locked, System, locks, read

BUILD_ONLY: Final = frozenset({"packaging", "setuptools", "setuptools-scm", "vcs-versioning"})
"""Build the project on a device and are not part of it while it runs."""


def component(item: Locked) -> dict[str, Any]:
    """Return one package that pip installs."""
    return {
        "type": "library",
        "bom-ref": f"pkg:pypi/{item.name}@{item.version}",
        "name": item.name,
        "version": item.version,
        "purl": f"pkg:pypi/{item.name}@{item.version}",
        "scope": "excluded" if item.name in BUILD_ONLY else "required",
        "hashes": [{"alg": "SHA-256", "content": item.sha256}],
    }


def from_debian(name: str) -> dict[str, Any]:
    """Return one package that apt installs."""
    package = {"numpy": "python3-numpy", "opencv-python-headless": "python3-opencv"}[name]
    return {"type": "library", "bom-ref": package, "name": package, "purl": f"pkg:deb/debian/{package}"}


def bill(system: System, files: list[Locked], written_at: dt.datetime) -> dict[str, Any]:
    """Return the bill of materials of one system.

    Args:
        system: where it runs.
        files: of its locks.
        written_at: UTC; the commit's time makes the same bytes from the same commit.
    """
    own = {
        "type": "application",
        "bom-ref": f"pkg:pypi/emotion-edge@{__version__}",
        "name": "emotion-edge",
        "version": __version__,
        "purl": f"pkg:pypi/emotion-edge@{__version__}",
        "licenses": [{"license": {"id": "Apache-2.0"}}],
    }
    given = [from_debian(name) for name in ("numpy", *system.from_debian)]
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {
            "timestamp": written_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "component": own,
            "properties": [{"name": "emotion-edge:system", "value": system.name}],
        },
        "components": [*(component(item) for item in files), *given],
    }


def main() -> None:
    """Write one file."""
    known = {system.name: system for system in SYSTEMS}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("system", choices=known)
    parser.add_argument("--out", type=Path, help="file (default dist/emotion-edge-SYSTEM.cdx.json)")
    options = parser.parse_args()
    system = known[options.system]
    path: Path = options.out or Path("dist", f"emotion-edge-{system.name}.cdx.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    files = [item for lock in locks(system) for item in read(lock)]
    written_at = dt.datetime.fromtimestamp(commit_time(), dt.timezone.utc)
    path.write_text(json.dumps(bill(system, files, written_at), indent=1) + "\n", encoding="utf-8")
    print(f"{path}: {len(files)} packages from pip, {1 + len(system.from_debian)} from Debian")


if __name__ == "__main__":
    main()
