"""One recipe on one process, twice, and on two processes."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from converter.__main__ import main
from tests.converter.sample_data import STRIPES_RECIPE, fer_rows, write_fer_csv

pytestmark = pytest.mark.train

TIMEOUT_S = 240.0

EPOCHS = 8


class Bench:
    """A recipe and its data."""

    def __init__(self, folder: Path, repository: Path) -> None:
        self.folder, self._repository = folder, repository
        (folder / "stripes.toml").write_text(STRIPES_RECIPE)
        write_fer_csv(folder / "fer.csv", fer_rows(420))

    def start(self, run: str, **environment: str) -> subprocess.Popen[str]:
        """Start one process; one thread, so that sums have one order."""
        arguments = ["train", str(self.folder / "stripes.toml"), "--data", str(self.folder / "fer.csv")]
        return subprocess.Popen(
            [
                sys.executable,
                "-m",
                "converter",
                *arguments,
                "--run",
                str(self.folder / run),
                *("--threads", "1", "--epochs", str(EPOCHS)),
            ],
            cwd=self._repository,
            env=os.environ | environment,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        )

    def records(self, run: str) -> list[dict[str, float]]:
        """Read the epochs of a run, without their times."""
        lines = (self.folder / run / "progress.jsonl").read_text().splitlines()
        return [{key: value for key, value in json.loads(line).items() if key != "seconds"} for line in lines]


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Bench:
    """Train alone, once for all tests of this file."""
    bench = Bench(tmp_path_factory.mktemp("cluster"), repository)
    finish(bench.start("alone"))
    return bench


def finish(*processes: subprocess.Popen[str]) -> None:
    """Wait for all, and show what a failed one said."""
    for process in processes:
        try:
            _, log = process.communicate(timeout=TIMEOUT_S)
        finally:
            process.kill()
        assert process.returncode == 0, log[-3000:]


def free_ports(count: int) -> list[int]:
    """Find ports that nobody uses."""
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [int(one.getsockname()[1]) for one in sockets]
    for one in sockets:
        one.close()
    return ports


def test_a_recipe_that_is_trained_twice_gives_the_same_net(bench: Bench) -> None:
    finish(bench.start("again"))

    assert bench.records("again") == bench.records("alone")


def test_two_processes_reach_what_one_reaches(bench: Bench) -> None:
    cluster = {"worker": [f"127.0.0.1:{port}" for port in free_ports(2)]}
    configs = [json.dumps({"cluster": cluster, "task": {"type": "worker", "index": rank}}) for rank in (0, 1)]

    finish(*(bench.start("together", TF_CONFIG=config) for config in configs))

    alone, together = bench.records("alone"), bench.records("together")
    assert [record["epoch"] for record in together] == list(range(EPOCHS))
    assert together[-1]["loss"] == pytest.approx(alone[-1]["loss"], rel=0.25)
    assert together[-1]["accuracy"] == pytest.approx(alone[-1]["accuracy"], abs=0.1)


@pytest.mark.parametrize(
    ("config", "found"),
    [
        ("{", "found '{'"),
        ('{"cluster": {"worker": ["a:1"]}, "task": {"index": 3}}', "found 3"),
        ('{"cluster": {"worker": 5}, "task": {"index": 0}}', 'expected {"cluster"'),
    ],
)
def test_a_wrong_tf_config_is_named(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], config: str, found: str
) -> None:
    monkeypatch.setenv("TF_CONFIG", config)

    code = main(
        [
            *("train", str(bench.folder / "stripes.toml"), "--data", str(bench.folder / "fer.csv")),
            *("--run", str(bench.folder / "wrong")),
        ]
    )

    message = capsys.readouterr().err
    assert code == 3
    assert "TF_CONFIG" in message
    assert found in message
