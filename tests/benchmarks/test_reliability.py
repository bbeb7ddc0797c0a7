"""The rows of the reliability benchmark in a short form, and that they can find what they look for."""

from __future__ import annotations

import json
import math
import random
import shutil
from pathlib import Path

import pytest

from benchmarks.reliability import forgetful_broker, outbox_kills
from benchmarks.reliability.ledger import Ledger, Shown, Spread
from benchmarks.reliability.watching import gained, slope_of
from benchmarks.reliability.write_prefixes import Disk, Step, record, steps_of, try_prefixes

PREFIX_COMMITS = 2


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger("row", "command", tmp_path / "result.json")


def test_a_row_goes_on_where_it_was_stopped(ledger: Ledger) -> None:
    ledger.counts["lost"] += 2
    ledger.spread("took_s").add(1.5)
    ledger.end_rounds(7)
    ledger.shown = [Shown("what", "found", "wanted", holds=True)]
    ledger.save()

    again = Ledger("row", "command", ledger.path)
    again.spread("took_s").add(3.0)

    assert (again.rounds, again.counts["lost"], again.spread("took_s").runs) == (7, 2, 2)
    assert again.spread("took_s").max == 3.0
    assert again.shown == ledger.shown


def test_percentiles_are_right_to_one_percent() -> None:
    rng = random.Random(4)  # noqa: S311
    values = [rng.lognormvariate(0.0, 2.0) for _ in range(5000)]
    spread = Spread()

    for value in values:
        spread.add(value)
    kept = Spread(json.loads(json.dumps(spread.as_json())))

    ranked = sorted(values)
    for share in (0.05, 0.5, 0.95, 0.99):
        assert kept.at(share) == pytest.approx(ranked[math.ceil(share * 5000) - 1], rel=0.0101)
    assert (kept.max, kept.runs) == (max(values), 5000)


def test_a_killed_outbox_has_what_it_accepted(ledger: Ledger) -> None:
    outbox_kills.play(ledger, 30)

    assert all(line.holds for line in outbox_kills.shown(ledger))
    assert ledger.counts["accepted"] > 5


def test_an_outbox_that_lost_something_would_be_found(ledger: Ledger, tmp_path: Path) -> None:
    outbox_kills.check(tmp_path / "outbox.db", stored=0, accepted=3, ledger=ledger)

    assert ledger.counts["lost"] == 3


@pytest.mark.broker
def test_a_broker_that_forgot_gets_everything_on_request(ledger: Ledger, tmp_path: Path) -> None:
    forgetful_broker.forget_once(tmp_path, 30, ledger)

    assert ledger.counts == {"acknowledged": 30, "recovered": 30, "still_at_the_broker": 0}


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> list[Step]:
    """Record what some commits do to the disk."""
    if shutil.which("strace") is None:
        pytest.skip("strace is missing: apt install strace")
    return record(tmp_path_factory.mktemp("recorded"), PREFIX_COMMITS)


@pytest.mark.slow
def test_a_power_cut_behind_any_write_loses_nothing_accepted(
    recorded: list[Step], ledger: Ledger, tmp_path: Path
) -> None:
    try_prefixes(tmp_path, recorded, ledger)

    assert ledger.counts["tried"] > 100
    assert (ledger.counts["lost"], ledger.counts["damaged"]) == (0, 0)


def test_a_program_that_forgot_to_sync_would_be_found(recorded: list[Step], ledger: Ledger, tmp_path: Path) -> None:
    unsynced = [step for step in recorded if step.kind != "sync"]
    accepted = max(step.offset for step in recorded if step.kind == "accepted")

    try_prefixes(tmp_path, unsynced, ledger, forms=("synced",))

    assert ledger.counts["lost"] >= accepted


def test_lines_of_strace_are_understood() -> None:
    lines = [
        f'1 openat(AT_FDCWD, "{_escaped(b"/x/o.db")}", O_RDWR|O_CREAT, 0644) = 5',
        f'1 pwrite64(5, "{_escaped(b"ab")}", 2, 4096) = 2',
        "2 fdatasync(5 <unfinished ...>",
        f'1 write(1, "{_escaped(b"accepted 7" + bytes([10]))}", 11) = 11',
        "2 <... fdatasync resumed>) = 0",
        "1 ftruncate(5, 1024) = 0",
        f'1 openat(AT_FDCWD, "{_escaped(b"/x/other")}", O_RDONLY) = 6',
        f'1 pwrite64(6, "{_escaped(b"ab")}", 2, 0) = 2',
        "1 close(5) = 0",
    ]

    steps = list(steps_of(iter(lines), "o.db"))

    assert steps == [
        Step("write", "o.db", b"ab", 4096),
        Step("accepted", offset=7),
        Step("sync", "o.db"),
        Step("cut", "o.db", offset=1024),
    ]


def test_what_was_not_synced_may_be_there_in_parts() -> None:
    disk = Disk()
    for step in (Step("write", "f", b"a" * 600, 0), Step("sync", "f"), Step("write", "f", b"b" * 600, 0)):
        disk.take(step)

    torn = {bytes(disk.form("torn", random.Random(seed))["f"]) for seed in range(40)}  # noqa: S311

    assert disk.form("all", random.Random(0))["f"] == b"b" * 600  # noqa: S311
    assert disk.form("synced", random.Random(0))["f"] == b"a" * 600  # noqa: S311
    assert torn == {left * 512 + right * 88 for left in (b"a", b"b") for right in (b"a", b"b")}


@pytest.mark.parametrize(("gain_mb", "found"), [(0.0, 0.0), (5.0, 5.0)])
def test_growth_is_what_the_line_gains_over_the_run(gain_mb: float, found: float) -> None:
    points = [(done / 10, 80.0 + gain_mb * done / 10) for done in range(3, 11)]

    assert slope_of(points) == pytest.approx(found)


def test_descriptors_that_leak_are_found_and_passing_ones_are_not() -> None:
    steady = [{"descriptors": 10 + (at % 5 == 0)} for at in range(30)]
    leaking = [{"descriptors": 10 + at // 3} for at in range(30)]

    assert gained(steady) == 0
    assert gained(leaking) > 5


def _escaped(data: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in data)
