"""Where events are written: full, read-only, in memory, somebody else's."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge_runtime.doctor import Finding, Machine
from edge_runtime.doctor.storage import look
from edge_runtime.settings import Config, Log, Mqtt, Outbox
from tests.doctor.machines import USER, machine, only, put

STATE, LOGS = "/var/lib/emotion-edge", "/var/log/emotion-edge"
CONFIG = Config(
    mqtt=Mqtt(host="broker"), outbox=Outbox(path=f"{STATE}/outbox.db"), log=Log(file=f"{LOGS}/events.jsonl")
)


@pytest.fixture
def board(tmp_path: Path) -> Machine:
    """Make a board on which the service is installed."""
    looked_at = machine(tmp_path)
    for folder in (STATE, LOGS):
        looked_at.path(folder).mkdir(parents=True)
        looked_at.path(folder).chmod(0o770)
    return looked_at


def found(board: Machine, subject: str, config: Config = CONFIG, *, least_free_mb: float = 0.0) -> Finding:
    """Look at one of them."""
    return only(look(board, config, least_free_mb=least_free_mb), subject)


@pytest.mark.parametrize("subject", ["root", "outbox", "log file"])
def test_healthy_folders_are_told_with_their_room(subject: str, board: Machine) -> None:
    assert found(board, subject).state == "ok"


@pytest.mark.parametrize("subject", ["root", "outbox", "log file"])
def test_a_full_disk_is_a_warning(subject: str, board: Machine) -> None:
    assert found(board, subject, least_free_mb=1e12).state == "warning"


@pytest.mark.parametrize(("subject", "folder"), [("outbox", STATE), ("log file", LOGS)])
def test_a_missing_folder_that_the_program_cannot_make_names_the_command(
    subject: str, folder: str, board: Machine
) -> None:
    board.path(folder).rmdir()

    missing = found(board, subject)

    assert (missing.state, missing.exit_code) == ("failed", 1)
    assert missing.remedy == f"sudo install --directory --owner=pi {folder}"


def test_a_folder_of_somebody_else_is_a_failure(board: Machine) -> None:
    stranger = Machine(board.root, uid=USER, gids=frozenset({USER}))

    closed = found(stranger, "outbox")

    assert closed.state == "failed"
    assert closed.remedy == f"sudo chown pi {STATE}, or be its owner"


def test_a_read_only_root_is_fine_and_a_read_only_outbox_is_not(board: Machine) -> None:
    put(board.root, "proc/mounts", "/dev/mmcblk0p2 / ext4 ro,noatime 0 0\n/dev/mmcblk0p3 /var/log ext4 rw 0 0\n")

    assert found(board, "root").found.startswith("ext4, read-only")
    assert found(board, "outbox").found == f"{STATE} is on a read-only file system"
    assert found(board, "log file").state == "ok"


@pytest.mark.parametrize("kind", ["tmpfs", "overlay"])
def test_an_outbox_in_memory_is_a_warning(kind: str, board: Machine) -> None:
    put(board.root, "proc/mounts", f"/dev/mmcblk0p2 / ext4 ro 0 0\nnone /var/lib {kind} rw 0 0\n")

    lost = found(board, "outbox")

    assert lost.state == "warning"
    assert lost.found == f"{STATE} is {kind}: a restart loses what waits"


def test_a_broker_without_an_outbox_is_a_warning_and_neither_is_nothing(board: Machine) -> None:
    without = found(board, "outbox", Config(mqtt=Mqtt(host="broker")))
    neither = found(board, "outbox", Config())

    assert 'outbox.path = "/var/lib/emotion-edge/outbox.db"' in without.remedy
    assert neither.state == "off"


@pytest.mark.parametrize(("subject", "folder"), [("outbox", STATE), ("log file", LOGS)])
def test_a_missing_folder_is_well_where_the_program_can_make_it(subject: str, folder: str, board: Machine) -> None:
    board.path(folder).rmdir()
    board.path(folder).parent.chmod(0o770)

    assert found(board, subject).state == "ok"


@pytest.mark.parametrize(
    ("subject", "file", "left"),
    [
        ("log file", f"{LOGS}/events.jsonl", f"{LOGS}/events.jsonl"),
        ("outbox", f"{STATE}/outbox.db", f"{STATE}/outbox.db"),
        ("outbox", f"{STATE}/outbox.db", f"{STATE}/outbox.db-wal"),
    ],
)
def test_a_file_that_a_run_as_root_has_left_is_a_failure(subject: str, file: str, left: str, board: Machine) -> None:
    put(board.root, left[1:], "", mode=0o600)

    closed = found(board, subject)

    assert (closed.state, closed.exit_code) == ("failed", 1)
    assert closed.found == f"{left}: this user may not write it; another one has made it"
    assert closed.remedy == f"sudo chown pi {file}*"


@pytest.mark.parametrize("subject", ["outbox", "log file"])
def test_a_file_of_ones_own_is_well(subject: str, board: Machine) -> None:
    put(board.root, f"{LOGS[1:]}/events.jsonl", "", mode=0o660)
    put(board.root, f"{STATE[1:]}/outbox.db", "", mode=0o660)

    assert found(board, subject).state == "ok"
