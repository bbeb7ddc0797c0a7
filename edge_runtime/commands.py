"""What others ask of the main loop, over MQTT or by a signal, and what they are answered."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final, get_args

import msgspec

from edge_runtime.output_settings import CommandName
from edge_runtime.payloads import Payload

COMMAND_RESULT_SCHEMA: Final = "emotion-edge.command_result/1"
MAX_WAITING: Final = 8
"""Commands that wait for the main loop; further ones are refused."""

COMMAND_NAMES: Final[tuple[CommandName, ...]] = get_args(CommandName)


@dataclass(frozen=True, slots=True)
class ReplyTo:
    """Where an MQTT 5 requester waits for the answer, beside the command's own result topic."""

    topic: str | None = None
    """Its Response Topic."""
    correlation: bytes | None = None
    """Its Correlation Data, given back as it came."""


NOWHERE: Final = ReplyTo()
"""The result topic alone."""


@dataclass(frozen=True, slots=True)
class Command:
    """One thing to do."""

    name: CommandName
    id: str | None = None
    """The sender's own word for it, given back in the result."""
    reply_to: ReplyTo = NOWHERE
    by_signal: bool = False
    """Nobody waits for an answer."""


class Proof(Payload, frozen=True, kw_only=True):
    """How one part of a self-test ended."""

    subject: str
    passed: bool
    told: str
    """What was found, for a person."""
    seconds: float


class CommandResult(Payload, frozen=True, kw_only=True, tag_field="schema", tag=COMMAND_RESULT_SCHEMA):
    """What became of a command (emotion-edge.command_result/1)."""

    device_id: str
    time: str
    """RFC 3339 UTC with milliseconds."""
    command: str
    ok: bool
    message: str
    """What was done, or why not, for a person."""
    id: str | None = None
    """The sender's own word for the command."""
    proofs: tuple[Proof, ...] | None = None
    """selftest only."""


class CommandAnswer:
    """A result on its way to the sinks. Not durable: who asked can ask again."""

    schema: Final = COMMAND_RESULT_SCHEMA
    topic: Final = "command_result"
    durable: Final = False

    def __init__(self, payload: CommandResult, reply_to: ReplyTo) -> None:
        """Wrap a result."""
        self.payload = payload
        self.reply_to = reply_to

    def to_json(self) -> bytes:
        """Encode as one line without a line break."""
        return msgspec.json.encode(self.payload)


class Inbox:
    """Commands on their way to the main loop. Takes no lock: a signal handler may call `hang_up`."""

    def __init__(self) -> None:
        """Begin with nothing to do."""
        self._waiting: deque[Command] = deque()
        self._hung_up = False

    def put(self, command: Command) -> bool:
        """Hand over a command from the one thread that receives them; False when too many wait."""
        if len(self._waiting) >= MAX_WAITING:
            return False
        self._waiting.append(command)
        return True

    def hang_up(self) -> None:
        """Ask for a reload, as SIGHUP does; asked twice in a row it is done once."""
        self._hung_up = True

    def take(self) -> Command | None:
        """Return the next thing to do, on the main loop's thread; None when there is nothing."""
        if self._hung_up:
            self._hung_up = False
            return Command("reload", by_signal=True)
        return self._waiting.popleft() if self._waiting else None
