"""What only one process of this machine may use: a camera, an outbox, a log file, a name at a broker.

A claim is the name of a Unix socket in the kernel's abstract namespace. It needs no folder and no file, so a read-only
disk is no hindrance; users see each other's; it is gone the moment its process is, whatever ended it; and the kernel
tells who holds it.
"""

from __future__ import annotations

import errno
import hashlib
import logging
import os
import socket
import struct
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from edge_runtime.config import device_id
from edge_runtime.errors import ClaimedError
from edge_runtime.settings import Config
from edge_runtime.sources.uri import known_source

if TYPE_CHECKING:
    from typing_extensions import Self

logger = logging.getLogger(__name__)

_ASKERS: Final = 128
"""So many processes are told who holds a claim; the kernel keeps a place for each until the holder ends."""

_LISTENS_WITHIN_S: Final = 0.1
"""Between taking a name and listening there is a moment in which the kernel cannot tell who took it."""

_CREDENTIALS: Final = struct.Struct("3i")
"""struct ucred: pid, uid, gid; see unix(7), SO_PEERCRED."""


def claims_of(config: Config) -> tuple[str, ...]:
    """Name what a configuration must have for itself alone. A network camera or a file can be read by many."""
    mqtt = config.mqtt
    wanted = (
        _camera(config.source.uri),
        f"log file {_real(config.log.file)}" if config.log.file else "",
        f"outbox {_real(config.outbox.path)}" if mqtt.host and config.outbox.path else "",
        f"MQTT name {device_id(config)} at {mqtt.host}:{mqtt.port}" if mqtt.host else "",
    )
    return tuple(claim for claim in wanted if claim)


class Claims:
    """Holds claims until it is left; `take` again to hold others."""

    def __init__(self) -> None:
        """Hold nothing."""
        self._held: dict[str, socket.socket] = {}

    def __enter__(self) -> Self:
        """Hold nothing yet."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Let everything go."""
        self._keep(())

    def take(self, claims: tuple[str, ...]) -> None:
        """Hold these and no others.

        Raises:
            ClaimedError: another process holds one of them; what was held before is still held.
        """
        new: dict[str, socket.socket] = {}
        try:
            for claim in claims:
                if claim not in self._held:
                    new |= _claimed(claim)
        except ClaimedError:
            for channel in new.values():
                channel.close()
            raise
        self._held |= new
        self._keep(claims)

    def _keep(self, claims: tuple[str, ...]) -> None:
        for claim in set(self._held) - set(claims):
            self._held.pop(claim).close()


def _camera(text: str) -> str:
    uri = known_source(text)
    return f"{uri.kind}:{uri.number}" if uri and uri.kind in {"camera", "picamera"} else ""


def _claimed(claim: str) -> dict[str, socket.socket]:
    """Bind the claim's name; nothing where the system has no such names."""
    channel = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    name = "\0emotion-edge/" + hashlib.sha256(claim.encode()).hexdigest()
    try:
        channel.bind(name)
        channel.listen(_ASKERS)
    except OSError as error:
        channel.close()
        if error.errno == errno.EADDRINUSE:
            raise ClaimedError(_told(claim, _holder(name))) from error
        logger.warning("cannot make sure that no other process uses %s (%s)", claim, error.strerror)
        return {}
    return {claim: channel}


def _holder(name: str) -> int:
    """Ask the kernel which process listens there; 0 when it is gone by now or in another container."""
    give_up_at = time.monotonic() + _LISTENS_WITHIN_S
    while True:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
            asking.setblocking(False)  # noqa: FBT003  no keyword in the standard library
            if asking.connect_ex(name) == 0:
                raw = asking.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
                return int(_CREDENTIALS.unpack(raw)[0])
        if time.monotonic() > give_up_at:
            return 0
        time.sleep(0.002)


def _told(claim: str, pid: int) -> str:
    who = "another emotion-edge" if not pid else "this process" if pid == os.getpid() else f"process {pid}"
    see = f"`ps -fp {pid}`" if pid else "`pgrep -af emotion-edge`"
    return (
        f"{claim}: {who} uses it already; see {see} or `systemctl status emotion-edge`, and stop that one first "
        f"or give this one another"
    )


def _real(path: str) -> Path:
    return Path(path).expanduser().resolve()
