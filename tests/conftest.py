"""Options and fixtures that every test may use, and which tests this machine can run."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import hypothesis
import pytest

# Debian puts daemons where an ordinary user's PATH does not look.
_DAEMON_PATH = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"))


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--media=DIR`, with the equals sign: pytest takes a folder that stands alone for a place to collect from."""
    parser.addoption(
        "--media",
        type=Path,
        default=None,
        metavar="DIR",
        help="folder with clips/ and scenes/; write --media=DIR; without it the tests marked `media` are left out",
    )
    parser.addoption(
        "--screenshots",
        type=Path,
        default=None,
        metavar="DIR",
        help="folder for pictures of the page; docs/images makes those of docs/kiosk.md again",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Refuse a media folder that is not one, and keep TensorFlow's banner out of the output."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    # A busy machine is no failure: how long one example takes says nothing about the code.
    hypothesis.settings.register_profile("patient", deadline=None)
    hypothesis.settings.load_profile("patient")
    media: Path | None = config.getoption("--media")
    if media is not None and not (media / "clips").is_dir():
        raise pytest.UsageError(f"--media={media}: no folder clips/ in it; expected clips/ and scenes/")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what needs media or a device that was not offered, and say so for a missing broker."""
    left_out = set()
    if config.getoption("--media") is None:
        left_out.add("media")
    if os.environ.get("EMOTION_EDGE_HARDWARE") != "1":
        left_out.add("hardware")
    deselected = [item for item in items if any(item.get_closest_marker(name) for name in left_out)]
    config.hook.pytest_deselected(items=deselected)
    items[:] = [item for item in items if item not in deselected]
    if shutil.which("mosquitto", path=_DAEMON_PATH) is None:
        no_broker = pytest.mark.skip(reason="mosquitto is missing: apt install mosquitto")
        for item in items:
            if item.get_closest_marker("broker"):
                item.add_marker(no_broker)


@pytest.fixture(scope="session")
def media_dir(request: pytest.FixtureRequest) -> Path:
    """Return the folder given with --media: clips/, clips.json, scenes/, scenes.json."""
    media: Path | None = request.config.getoption("--media")
    if media is None:
        pytest.fail("this test reads media: mark it with @pytest.mark.media")
    return media.resolve()


@pytest.fixture(scope="session")
def repository() -> Path:
    """Return the root of the source tree."""
    return Path(__file__).resolve().parent.parent
