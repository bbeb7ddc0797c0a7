"""What systemd hears, over a real socket."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_runtime.heartbeat import Heartbeat, Silence
from edge_runtime.systemd_notify import Notifier

TIMEOUT_S = 5.0


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    """Listen as the service manager does."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(TIMEOUT_S)
        yield listening


def environment(manager: socket.socket, **more: str) -> dict[str, str]:
    """Return what the service manager sets."""
    return {"NOTIFY_SOCKET": manager.getsockname(), **more}


def test_the_manager_hears_the_life_of_the_service(manager: socket.socket) -> None:
    notifier = Notifier(environment(manager, WATCHDOG_USEC="30000000"))

    notifier.ready()
    notifier.status("running, camera running")
    notifier.alive()
    notifier.stopping()

    heard = [manager.recv(4096) for _ in range(4)]
    assert heard == [b"READY=1", b"STATUS=running, camera running", b"WATCHDOG=1", b"STOPPING=1"]
    assert notifier.watchdog_s == 30.0


@pytest.mark.parametrize("period", ["", "soon", "-5"])
def test_without_a_watchdog_there_are_no_signs_of_life(manager: socket.socket, period: str) -> None:
    notifier = Notifier(environment(manager, WATCHDOG_USEC=period))

    notifier.alive()
    notifier.ready()

    assert manager.recv(4096) == b"READY=1"
    assert notifier.watchdog_s is None


def test_an_abstract_socket_is_heard_too() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind("")  # the kernel chooses an abstract name
        listening.settimeout(TIMEOUT_S)
        name = listening.getsockname()

        Notifier({"NOTIFY_SOCKET": "@" + name[1:].decode()}).ready()

        assert listening.recv(4096) == b"READY=1"


@pytest.mark.parametrize("variables", [{}, {"NOTIFY_SOCKET": ""}, {"NOTIFY_SOCKET": "/nowhere/notify"}])
def test_where_nobody_listens_nothing_happens(variables: dict[str, str]) -> None:
    notifier: Heartbeat = Notifier(variables)

    notifier.ready()
    notifier.alive()
    notifier.status("x")
    notifier.stopping()


def test_a_manager_that_went_away_is_no_error(manager: socket.socket) -> None:
    notifier = Notifier(environment(manager))
    manager.close()

    notifier.ready()


def test_a_manager_that_does_not_read_does_not_hold_the_service_up(manager: socket.socket) -> None:
    queue = int(Path("/proc/sys/net/unix/max_dgram_qlen").read_text())
    notifier = Notifier(environment(manager, WATCHDOG_USEC="1000000"))

    for _ in range(queue + 3):
        notifier.alive()

    assert 0 < waiting(manager) <= queue + 1


def waiting(manager: socket.socket) -> int:
    """Count the messages that nobody has read yet."""
    manager.settimeout(0)
    count = 0
    try:
        while manager.recv(4096):
            count += 1
    except BlockingIOError:
        return count
    return count


def test_a_status_of_two_lines_cannot_say_something_else(manager: socket.socket) -> None:
    Notifier(environment(manager)).status("camera lost: no\nREADY=1")

    assert manager.recv(4096) == b"STATUS=camera lost: no READY=1"


def test_silence_says_nothing() -> None:
    silence: Heartbeat = Silence()

    silence.ready()
    silence.alive()
    silence.status("x")
    silence.stopping()
