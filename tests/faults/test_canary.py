"""Frames that can be recognised go through the whole program: no pixel of them is in any file or on any wire."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.broker import Mosquitto
from tests.canary.hunt import hunt, searched
from tests.canary.pattern import tiles
from tests.canary.programs import Traces
from tests.canary.search import Searcher


@pytest.mark.broker
@pytest.mark.slow
def test_no_pixel_leaves_the_program(broker: Mosquitto, tmp_path: Path) -> None:
    finding = hunt(tmp_path / "canary", broker.port, verbs=("record", "selftest"))

    assert finding.found == []
    assert finding.core_files == []
    assert finding.live_picture_found  # the one place that may show them did: the program had them
    assert finding.exit_codes == {"run": 0, "record": 0, "selftest": 0, "run, SIGABRT": -6, "run, SIGSEGV": -11}
    assert finding.files > 10
    assert finding.wires["broker"] > 10_000
    assert all(finding.wires.values())
    shutil.rmtree(tmp_path / "canary")


def test_a_pixel_in_any_file_is_found(tmp_path: Path) -> None:
    deep = tmp_path / "all" / "home" / ".cache" / "x"
    deep.mkdir(parents=True)
    (deep / "picture.tmp").write_bytes(b"header" + tiles()[2][7].tobytes())
    (deep / "harmless").write_bytes(b"numbers: 1 2 3")

    finding = searched(
        Traces(tmp_path / "all", wires={"broker": tiles()[0].tobytes().hex().encode()}), Searcher(tiles())
    )

    assert finding.found == ["home/.cache/x/picture.tmp: raw", "broker: hex"]
