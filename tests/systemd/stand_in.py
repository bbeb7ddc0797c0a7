#!/usr/bin/python3
"""Stands in for `emotion-edge run`: speaks to systemd as the runtime does and tells what the sandbox lets it do.

USR1 makes it hang. A file /etc/emotion-edge/exit-code makes it end at once with that code.
"""

from __future__ import annotations

import ctypes
import grp
import mmap
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

EXIT_CODE = Path("/etc/emotion-edge/exit-code")


def notify(message: str) -> None:
    """Send one message to systemd, as sd_notify(3) does."""
    address = os.environ["NOTIFY_SOCKET"]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as stream:
        stream.connect("\0" + address[1:] if address.startswith("@") else address)
        stream.sendall(message.encode())


def allowed(action: Callable[[], object]) -> str:
    """Tell whether an action works, as yes or no."""
    try:
        action()
    except (OSError, ValueError, PermissionError):
        return "no"
    return "yes"


def ask_clock() -> None:
    """Ask the kernel whether the clock is right, as the runtime does; 512 bytes are more than a struct timex."""
    if ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(512)) < 0:
        raise PermissionError


def facts() -> str:
    """Return what this process is and may, as NAME:VALUE words."""
    status = dict(line.split(":\t", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":\t" in line)
    callback = ctypes.CFUNCTYPE(ctypes.c_int)(lambda: 7)
    seen = {
        "uid": os.getuid(),
        "groups": ",".join(sorted(grp.getgrgid(group).gr_name for group in os.getgroups())),
        "umask": status["Umask"],
        "seccomp": status["Seccomp"],
        "capabilities": status["CapEff"].lstrip("0") or "none",
        "no_new_privileges": status["NoNewPrivs"],
        "write_etc": allowed(lambda: Path("/etc/emotion-edge/x").write_text("")),
        "write_state": allowed(lambda: Path("/var/lib/emotion-edge/x").write_text("")),
        "write_log": allowed(lambda: Path("/var/log/emotion-edge/x").write_text("")),
        "cpuinfo": allowed(lambda: Path("/proc/cpuinfo").read_text().index("processor")),
        "writable_code": allowed(lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_WRITE | mmap.PROT_EXEC)),
        "callback": callback(),
        "inet": allowed(lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM).close()),
        "netlink": allowed(lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW).close()),
        "packet": allowed(lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW).close()),
        "ask_clock": allowed(ask_clock),
        "arguments": "_".join(sys.argv[1:]),
    }
    return " ".join(f"{name}:{value}" for name, value in seen.items())


def main() -> int:
    """Run until SIGTERM."""
    if EXIT_CODE.exists():
        return int(EXIT_CODE.read_text())
    stopped: list[bool] = []
    hung: list[bool] = []
    signal.signal(signal.SIGTERM, lambda *_: stopped.append(True))
    signal.signal(signal.SIGHUP, lambda *_: notify("STATUS=reloaded"))
    signal.signal(signal.SIGUSR1, lambda *_: hung.append(True))
    notify("READY=1\nSTATUS=" + facts())
    while not stopped:
        if not hung:
            notify("WATCHDOG=1")
        time.sleep(0.2)
    notify("STOPPING=1")
    return 0


if __name__ == "__main__":
    sys.exit(main())
