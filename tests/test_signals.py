"""Signals that come at any moment, also within a wait: nothing hangs, nothing is lost."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

from edge_runtime.commands import MAX_WAITING, Command, Inbox
from edge_runtime.signals import StopRequest
from tests.source_tree import ROOT

SIGNALS_IN_WAITS = """
import os, signal, threading, time
from edge_runtime.commands import Inbox
from edge_runtime.signals import StopRequest, reload_on_hangup, stop_on_signals
inbox, reloads = Inbox(), 0
reload_on_hangup(inbox.hang_up)
def tease():
    for _ in range(2000):
        os.kill(os.getpid(), signal.SIGHUP)
    os.kill(os.getpid(), signal.SIGTERM)
stop = StopRequest()
stop_on_signals(stop)
thread = threading.Thread(target=tease)
thread.start()
while not stop.wait(0.0001):
    reloads += len(list(iter(inbox.take, None)))
thread.join()
reloads += len(list(iter(inbox.take, None)))
print(stop.reason, reloads > 0, inbox.take())
"""


def test_thousands_of_signals_between_waits_hang_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SIGNALS_IN_WAITS], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )

    assert (done.returncode, done.stdout.split()) == (0, ["SIGTERM", "True", "None"]), done.stderr


def test_a_stop_ends_a_wait_of_another_thread_at_once() -> None:
    stop = StopRequest()
    waiting = threading.Thread(target=stop.wait, args=(60.0,))
    begun = time.monotonic()

    waiting.start()
    stop.set()
    stop.set()
    waiting.join(timeout=20.0)

    assert not waiting.is_alive()
    assert time.monotonic() - begun < 20.0
    assert stop.is_set()
    assert stop.wait(0.0)


def test_a_wait_without_a_stop_ends_with_its_time() -> None:
    assert not StopRequest().wait(0.001)


def test_commands_are_taken_in_order_and_a_hangup_comes_first() -> None:
    inbox = Inbox()

    inbox.put(Command("pause"))
    inbox.put(Command("resume"))
    inbox.hang_up()
    inbox.hang_up()

    taken = [inbox.take() for _ in range(4)]
    assert [command and command.name for command in taken] == ["reload", "pause", "resume", None]
    assert taken[0] is not None
    assert taken[0].by_signal


def test_an_inbox_has_an_end() -> None:
    inbox = Inbox()

    took = [inbox.put(Command("pause")) for _ in range(MAX_WAITING + 3)]

    assert took == [True] * MAX_WAITING + [False] * 3
