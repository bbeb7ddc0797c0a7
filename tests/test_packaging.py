"""The wheel and the source archive hold what an installation needs, and setup.py says what it should."""

from __future__ import annotations

import email.message
import email.parser
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from edge_runtime._version import __version__

DATA_PATTERNS = (
    "edge_runtime/py.typed",
    "edge_runtime/assets/**/*",
    "edge_runtime/schemas/*.json",
    "edge_runtime/web/static/*",
    "edge_runtime/web/notices/*.toml",
    "converter/py.typed",
    "converter/recipes/*.toml",
    "firmware_config/py.typed",
    "firmware_config/profiles/*.toml",
    "firmware_config/boot/**/*",
    "firmware_config/udev/**/*",
)
"""What each package reads at run time: the sources hold at least one file for each."""

NOT_SOURCES = shutil.ignore_patterns(".*", "__pycache__", "build", "dist", "*.egg-info", "runs", "out")


@pytest.fixture(scope="module")
def archives(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel and the source archive from a copy, so that nothing stale in the tree is taken along."""
    copy = tmp_path_factory.mktemp("packaging") / "copy"
    shutil.copytree(repository, copy, ignore=NOT_SOURCES)
    build = [sys.executable, "setup.py", "-q", "sdist", "bdist_wheel"]

    done = subprocess.run(build, cwd=copy, capture_output=True, text=True, timeout=300, check=False)

    assert done.returncode == 0, done.stderr[-3000:]
    return copy / "dist"


@pytest.fixture(scope="module")
def wheel_names(archives: Path) -> set[str]:
    """Names of the files in the wheel."""
    with zipfile.ZipFile(next(archives.glob("*.whl"))) as wheel:
        return set(wheel.namelist())


@pytest.fixture(scope="module")
def metadata(archives: Path) -> email.message.Message:
    """The wheel's METADATA."""
    with zipfile.ZipFile(next(archives.glob("*.whl"))) as wheel:
        name = next(name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
        return email.parser.Parser().parsestr(wheel.read(name).decode())


@pytest.mark.parametrize("pattern", DATA_PATTERNS)
def test_package_data_is_in_the_wheel(pattern: str, repository: Path, wheel_names: set[str]) -> None:
    wanted = {
        path.relative_to(repository).as_posix()
        for path in repository.glob(pattern)
        if path.is_file() and "__pycache__" not in path.parts
    }

    assert wanted, f"{pattern}: no such file in the sources"
    assert wanted <= wheel_names


def test_wheel_holds_the_three_packages_and_nothing_else(wheel_names: set[str]) -> None:
    top = {name.partition("/")[0] for name in wheel_names}

    assert top == {"edge_runtime", "converter", "firmware_config", f"emotion_edge-{__version__}.dist-info"}


def test_wheel_holds_the_licence(wheel_names: set[str]) -> None:
    assert any(name.endswith("/LICENSE") for name in wheel_names)


def test_source_archive_builds_the_same_wheel(archives: Path, wheel_names: set[str], tmp_path: Path) -> None:
    with tarfile.open(next(archives.glob("*.tar.gz"))) as archive:
        archive.extractall(tmp_path, filter="data")
    unpacked = next(tmp_path.iterdir())
    build = [sys.executable, "setup.py", "-q", "bdist_wheel"]

    done = subprocess.run(build, cwd=unpacked, capture_output=True, text=True, timeout=300, check=False)

    assert done.returncode == 0, done.stderr[-3000:]
    with zipfile.ZipFile(next((unpacked / "dist").glob("*.whl"))) as wheel:
        assert set(wheel.namelist()) == wheel_names


def test_source_archive_is_the_whole_tree(archives: Path, repository: Path) -> None:
    listed = subprocess.run(
        ["git", "ls-files"],  # noqa: S607  wherever it is
        cwd=repository,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if listed.returncode:
        pytest.skip("not a git working tree")
    with tarfile.open(next(archives.glob("*.tar.gz"))) as archive:
        modes = {member.name.partition("/")[2]: member.mode for member in archive if member.isfile()}

    named = (name for name in listed.stdout.splitlines() if not name.startswith("."))
    versioned = {name for name in named if (repository / name).is_file()}

    assert versioned - set(modes) == set()
    assert not [name for name in modes if "__pycache__" in name]
    assert modes["scripts/install.sh"] & 0o111


def test_version_has_one_home(metadata: email.message.Message) -> None:
    assert metadata["Name"] == "emotion-edge"
    assert metadata["Version"] == __version__


def test_base_dependencies_are_the_light_ones(metadata: email.message.Message) -> None:
    required = [line for line in metadata.get_all("Requires-Dist", []) if "extra ==" not in line]

    names = {line.partition(";")[0].strip().rstrip("0123456789.,<>=") for line in required}

    assert names == {"ai-edge-litert", "msgspec", "numpy", "opencv-python-headless", "paho-mqtt", "tomli"}


def test_litert_is_asked_for_only_where_it_has_wheels(metadata: email.message.Message) -> None:
    litert = next(line for line in metadata.get_all("Requires-Dist", []) if line.startswith("ai-edge-litert"))

    assert "platform_machine ==" in litert
    assert "armv7l" not in litert


def test_every_command_names_a_function_that_exists(archives: Path) -> None:
    with zipfile.ZipFile(next(archives.glob("*.whl"))) as wheel:
        name = next(name for name in wheel.namelist() if name.endswith("entry_points.txt"))
        lines = wheel.read(name).decode().split("\n")

    commands = dict(line.replace(" ", "").split("=") for line in lines if "=" in line)

    assert commands == {
        "emotion-edge": "edge_runtime.__main__:main",
        "emotion-convert": "converter.__main__:main",
        "emotion-firmware": "firmware_config.__main__:main",
    }
